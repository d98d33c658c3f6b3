package check

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/apple/foundationdb/bindings/go/src/fdb"

	"github.com/plinthdb/plinth/internal/wire"
	"github.com/plinthdb/plinth/kv"
	"github.com/plinthdb/plinth/tests/conformance/fdbclient"
	"github.com/plinthdb/plinth/tests/conformance/generate"
	"github.com/plinthdb/plinth/tests/conformance/kvclient"
	"github.com/plinthdb/plinth/tests/conformance/machine"
	"github.com/plinthdb/plinth/tests/conformance/model"
)

// Subject is a client over an open store that programs are run on, one after
// the other.
type Subject struct {
	Client  machine.Client
	Dialect model.Dialect
	// stamps are those of the commits of this run.
	stamps *stamps
}

type stamps struct {
	mu struct {
		sync.Mutex
		list []wire.Stamp
	}
}

func (s *stamps) note(stamp wire.Stamp) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.mu.list = append(s.mu.list, stamp)
}

func (s *stamps) take() []wire.Stamp {
	s.mu.Lock()
	defer s.mu.Unlock()
	list := s.mu.list
	s.mu.list = nil
	return list
}

// KV returns kv over db as a subject. Its dialect is what kv documents.
func KV(ctx context.Context, db *kv.Database) *Subject {
	s := &stamps{}
	c := kvclient.New(ctx, db)
	c.OnCommit = s.note
	return &Subject{Client: c, stamps: s, Dialect: model.Dialect{
		InvertedRangeFails:     true,
		NoCommitVersion:        true,
		UnknownOutcomeSticks:   true,
		CommitOutlivesCancel:   true,
		OwnWritesDeclared:      true,
		LongKeysFail:           true,
		RowsConflictUntilError: true,
	}}
}

// FDB returns FoundationDB's Go API over db as a subject. Where its dialect is
// not that of the original: UnknownOutcomeSticks, OwnWritesDeclared and
// CommitOutlivesCancel are unset there; docs/from-foundationdb.md has the reasons.
//
// With exactlyOnce what the client runs again by itself is done once, without
// which nobody can say what a program does on a store that loses answers.
func FDB(db fdb.Database, exactlyOnce bool) *Subject {
	s, version := &stamps{}, fdb.MustGetAPIVersion()
	c := fdbclient.New(db)
	c.ExactlyOnce = exactlyOnce
	c.OnCommit = func(stamp []byte) { s.note(wire.Stamp(stamp)) }
	return &Subject{Client: c, stamps: s, Dialect: model.Dialect{
		InvertedConflictFails:    true,
		OnErrorCancels:           version >= 610,
		OnErrorResets:            version < 610,
		ResetRevives:             true,
		UnknownOutcomeSticks:     true,
		OwnWritesDeclared:        true,
		CommitOutlivesCancel:     true,
		CommitKeepsReadVersion:   version >= 700,
		CommitForgetsReadVersion: version < 700,
		CommitResets:             version < 410,
		SnapshotsSkipOwnWrites:   version < 300,
		AbsentIsZeros:            version < 510,
		ShortStampPlace:          version < 520,
	}}
}

// Outcome is the rows that a program leaves behind, by key.
type Outcome map[string]string

// maxRuns is how often a program is run if the store was so slow that a
// transaction became too old, or a read waited too long for its version.
const maxRuns = 20

// slowness is how the errors look where they were logged that only say that the
// store was slow: 1007, 1009 and 1037.
func slowness() []string {
	return []string{"ERROR\x00\x011007\x00", "ERROR\x00\x011009\x00", "ERROR\x00\x011037\x00"}
}

// Run empties the store, runs the program and returns what it left behind.
func (s *Subject) Run(p *generate.Program) (Outcome, error) {
	for run := 1; ; run++ {
		if err := s.empty(); err != nil {
			return nil, err
		}
		rows, err := execute(s.Client, p)
		if err != nil || run == maxRuns || !slices.ContainsFunc(slowness(), rows.contain) {
			return rows, err
		}
	}
}

// empty empties the store.
func (s *Subject) empty() error {
	err := s.Client.Update(func(t machine.Transaction) error {
		t.ClearRange(nil, []byte("\xff"))
		return nil
	})
	s.stamps.take()
	return err
}

func (o Outcome) contain(text string) bool {
	for _, value := range o {
		if strings.Contains(strings.ReplaceAll(value, "\x00\xff", "\x00"), text) {
			return true
		}
	}
	return false
}

func execute(c machine.Client, p *generate.Program) (Outcome, error) {
	if err := p.Load(c); err != nil {
		return nil, err
	}
	if err := machine.Run(c, p.Threads[0].Prefix); err != nil {
		return nil, err
	}
	return dump(c)
}

const pageRows = 1000

// dump returns all rows of the store.
func dump(c machine.Client) (Outcome, error) {
	all := Outcome{}
	begin := []byte{}
	for {
		var rows []machine.KeyValue
		err := c.Read(func(r machine.Reader) (err error) {
			rows, err = r.Range(begin, []byte("\xff"), machine.RangeOptions{Limit: pageRows, Mode: -1})
			return err
		})
		if err != nil {
			return nil, err
		}
		for _, row := range rows {
			all[string(row.Key)] = string(row.Value)
		}
		if len(rows) < pageRows {
			return all, nil
		}
		begin = append(rows[len(rows)-1].Key, 0)
	}
}

// Check runs the program on the subject and on the model, and returns how they
// differ, "" if they agree. The error says that the program itself is wrong.
func (s *Subject) Check(p *generate.Program) (difference string, err error) {
	got, err := s.Run(p)
	if err != nil {
		return "", err
	}
	want, err := Predict(p, s.Dialect, s.stamps.take())
	if err != nil {
		return "", fmt.Errorf("model: %w", err)
	}
	return Difference(p, got, want) + overlaps(p, got), nil
}

// overlaps lists the directories of a program that only allocates whose prefixes
// begin with one another's.
func overlaps(p *generate.Program, got Outcome) string {
	if !p.Allocates {
		return ""
	}
	var prefixes []string
	for key, value := range got {
		if strings.HasPrefix(key, "\xfe") && strings.Contains(key, "\x14\x02") {
			prefixes = append(prefixes, value)
		}
	}
	slices.Sort(prefixes)
	var b strings.Builder
	for i := 1; i < len(prefixes); i++ {
		// In order, what begins with a string comes right behind it.
		if strings.HasPrefix(prefixes[i], prefixes[i-1]) {
			fmt.Fprintf(&b, "the prefixes %q and %q of two directories overlap\n", prefixes[i-1], prefixes[i])
		}
	}
	return b.String()
}

// Predict runs the program on the model. The commits get the stamps, if the
// program is one that looks at them.
func Predict(p *generate.Program, dialect model.Dialect, stamps []wire.Stamp) (Outcome, error) {
	if !p.Stamps {
		stamps = nil
	}
	store := model.New(dialect, stamps)
	if err := p.Load(store); err != nil {
		return nil, err
	}
	if err := machine.Run(store, p.Threads[0].Prefix); err != nil {
		return nil, err
	}
	return store.Rows(), nil
}

// Difference lists the rows in which two outcomes differ, "" if they agree. Of
// programs that allocate prefixes only what was logged is compared.
func Difference(p *generate.Program, got, want Outcome) string {
	var b strings.Builder
	for _, key := range keys(got, want) {
		if p.OnlyLog && !strings.HasPrefix(key, generate.LogPrefix) {
			continue
		}
		g, inGot := got[key]
		w, inWant := want[key]
		if inGot != inWant || g != w {
			fmt.Fprintf(&b, "%s\n\tgot  %s\n\twant %s\n", p.Explain(key), valueText(g, inGot), valueText(w, inWant))
		}
	}
	return b.String()
}

// keys returns the keys of both outcomes, in order.
func keys(a, b Outcome) []string {
	var all []string
	for _, o := range []Outcome{a, b} {
		for key := range o {
			all = append(all, key)
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}

func valueText(value string, present bool) string {
	if !present {
		return "absent"
	}
	if t, err := (model.Tuples{}).Unpack([]byte(value)); err == nil {
		return t.String()
	}
	return fmt.Sprintf("%q", value)
}
