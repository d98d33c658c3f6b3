package ledger

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/gofrs/flock"
)

const (
	suffix   = ".jsonl"
	lockName = "LOCK"
	// format is the newest form of the file that this code reads.
	format = 1
	// maxLineBytes bounds a line; a run takes a few thousand bytes.
	maxLineBytes = 1 << 20
)

// Errors of Open, ReadAll and Add. Each comes with the file and what to do.
var (
	ErrForeign = errors.New("not a campaign of plinth sim")
	ErrDamaged = errors.New("damaged campaign of plinth sim")
	ErrNewer   = errors.New("campaign of a newer plinth sim")
)

// line is one line of the file; exactly one of its fields is set.
type line struct {
	Campaign *header  `json:"campaign,omitempty"`
	Sitting  *Sitting `json:"sitting,omitempty"`
	Run      *Run     `json:"run,omitempty"`
}

// header is the first line.
type header struct {
	Format int `json:"format"`
	Key
}

// Ledger is one campaign. It is not safe for concurrent use; several ledgers
// of one file are, in any number of processes.
type Ledger struct {
	path string
	key  Key
	lock *flock.Flock
	// sittings and runs are in the order of the file.
	sittings []Sitting
	runs     []Run
	// byID finds a run's place in runs.
	byID map[string]int
}

// Open opens the campaign of key in dir and reads it, or begins it.
func Open(dir string, key Key) (*Ledger, error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, fmt.Errorf("directory of campaigns: %w", err)
	}
	l := &Ledger{path: filepath.Join(dir, key.fileName()), key: key, lock: flock.New(filepath.Join(dir, lockName))}
	if err := l.locked(l.load); err != nil {
		return nil, err
	}
	return l, nil
}

// ReadAll reads all campaigns in dir, the one that was changed last at the end.
func ReadAll(dir string) ([]*Ledger, error) {
	paths, err := filepath.Glob(filepath.Join(dir, "*"+suffix))
	if err != nil {
		return nil, err
	}
	changed := make(map[string]time.Time)
	for _, path := range paths {
		info, err := os.Stat(path)
		if err != nil {
			return nil, err
		}
		changed[path] = info.ModTime()
	}
	slices.SortFunc(paths, func(a, b string) int {
		return cmp.Or(changed[a].Compare(changed[b]), cmp.Compare(a, b))
	})
	var all []*Ledger
	for _, path := range paths {
		l := &Ledger{path: path}
		data, err := os.ReadFile(path)
		if err != nil {
			return nil, err
		}
		if _, err := l.parse(data); err != nil {
			return nil, err
		}
		all = append(all, l)
	}
	return all, nil
}

// locked calls f while no other process writes to the directory's campaigns.
func (l *Ledger) locked(f func() error) (err error) {
	if err := l.lock.Lock(); err != nil {
		return fmt.Errorf("directory of campaigns: %w", err)
	}
	defer func() { err = errors.Join(err, l.lock.Unlock()) }()
	return f()
}

// load reads the file, cuts off what a crash left of a last line (G1), and
// writes the header of a new one.
func (l *Ledger) load() error {
	data, err := os.ReadFile(l.path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	key := l.key
	whole, err := l.parse(data)
	if err != nil {
		return err
	}
	if whole < len(data) {
		if err := os.Truncate(l.path, int64(whole)); err != nil {
			return err
		}
	}
	if whole == 0 {
		l.key = key
		return l.append(line{Campaign: &header{Format: format, Key: key}})
	}
	if l.key != key {
		return fmt.Errorf("%w: %s is of %v, not of %v; %s", ErrForeign, l.path, l.key, key, remedy)
	}
	return nil
}

const remedy = "move the file away, or name another directory with --campaign"

// parse takes over the lines of a file and returns the length of those that
// are whole.
func (l *Ledger) parse(data []byte) (whole int, err error) {
	l.sittings, l.runs, l.byID = nil, nil, make(map[string]int)
	for number := 1; whole < len(data); number++ {
		length := bytes.IndexByte(data[whole:], '\n') + 1
		if length == 0 {
			break
		}
		if err := l.parseLine(data[whole:whole+length], number); err != nil {
			return 0, err
		}
		whole += length
	}
	if whole == 0 && len(data) > 0 && !bytes.HasPrefix(data, []byte(`{"campaign"`)[:min(len(data), 11)]) {
		return 0, fmt.Errorf("%w: %s; %s", ErrForeign, l.path, remedy)
	}
	return whole, nil
}

func (l *Ledger) parseLine(text []byte, number int) error {
	var entry line
	err := json.Unmarshal(text, &entry)
	switch {
	case number == 1 && (err != nil || entry.Campaign == nil):
		return fmt.Errorf("%w: %s; %s", ErrForeign, l.path, remedy)
	case number == 1 && entry.Campaign.Format > format:
		return fmt.Errorf("%w: %s has format %d, this program knows up to %d; use a newer plinth, or %s", ErrNewer, l.path, entry.Campaign.Format, format, remedy)
	case number == 1:
		l.key = entry.Campaign.Key
		return nil
	case err == nil && entry.Sitting != nil:
		l.sittings = append(l.sittings, *entry.Sitting)
		return nil
	case err == nil && entry.Run != nil:
		l.note(*entry.Run)
		return nil
	}
	return fmt.Errorf("%w: %s, line %d is neither a sitting nor a run (%v); take the line out with an editor, or %s", ErrDamaged, l.path, number, err, remedy)
}

// note adds a run to those in memory (G3).
func (l *Ledger) note(r Run) {
	at, known := l.byID[r.id()]
	switch {
	case !known:
		l.byID[r.id()] = len(l.runs)
		l.runs = append(l.runs, r)
	case r.Failed() || !l.runs[at].Failed():
		l.runs[at] = r
	}
}

// append writes one line to the end of the file.
func (l *Ledger) append(entry line) error {
	data, err := json.Marshal(entry)
	if err != nil {
		return err
	}
	if len(data) > maxLineBytes {
		return fmt.Errorf("%s: a line of %d bytes is longer than the limit of %d", l.path, len(data), maxLineBytes)
	}
	file, err := os.OpenFile(l.path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	end, err := file.Seek(0, io.SeekEnd)
	if err == nil {
		if _, err = file.Write(append(data, '\n')); err != nil {
			// Half a line must not be in the way of the next one.
			err = errors.Join(err, file.Truncate(end))
		}
	}
	if err = errors.Join(err, file.Close()); err != nil {
		return fmt.Errorf("%w; free some space, or name another directory with --campaign; the runs before are kept", err)
	}
	return nil
}

// Begin notes a new sitting.
func (l *Ledger) Begin(s Sitting) error {
	l.sittings = append(l.sittings, s)
	return l.locked(func() error { return l.append(line{Sitting: &s}) })
}

// Add notes a run.
func (l *Ledger) Add(r Run) error {
	l.note(r)
	if err := l.locked(func() error { return l.append(line{Run: &r}) }); err != nil {
		return fmt.Errorf("keeping the result of seed %d: %w", r.Seed, err)
	}
	return nil
}

// Has reports whether a seed was run with these arguments.
func (l *Ledger) Has(seed uint64, args []string) bool {
	_, ok := l.byID[runID(seed, args)]
	return ok
}

// Last returns the last sitting; ok is false if there is none.
func (l *Ledger) Last() (s Sitting, ok bool) {
	if len(l.sittings) == 0 {
		return s, false
	}
	return l.sittings[len(l.sittings)-1], true
}

// Refresh reads the file again, with what other processes have added to it.
func (l *Ledger) Refresh() error { return l.locked(l.load) }

// Path is the campaign's file.
func (l *Ledger) Path() string { return l.path }

// Totals adds up the campaign.
func (l *Ledger) Totals() Totals {
	t := Totals{Key: l.key, Sittings: len(l.sittings), Failures: []Run{}}
	for i := range l.runs {
		t.add(&l.runs[i])
	}
	t.sortFailures()
	return t
}

// Prune removes the campaigns of dir that were not changed for the longest
// time, until no more than keep are left.
func Prune(dir string, keep int) error {
	all, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	changed := make(map[string]time.Time)
	for _, entry := range all {
		info, err := entry.Info()
		if err == nil && strings.HasSuffix(entry.Name(), suffix) {
			changed[entry.Name()] = info.ModTime()
		}
	}
	names := make([]string, 0, len(changed))
	for name := range changed {
		names = append(names, name)
	}
	slices.SortFunc(names, func(a, b string) int { return cmp.Or(changed[b].Compare(changed[a]), cmp.Compare(a, b)) })
	for _, name := range names[min(keep, len(names)):] {
		if err := os.Remove(filepath.Join(dir, name)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return nil
}
