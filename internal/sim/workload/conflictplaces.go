package workload

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"strings"

	"github.com/plinthdb/plinth/kv"
)

const (
	// conflictKeys is how many keys a client has in ConflictRange; those within
	// conflictEdge of an end are there for ever.
	conflictKeys = 26
	conflictEdge = 5
	// conflictReach is how far selectors go, less than conflictEdge.
	conflictReach = 4
)

// conflictPlaces are the keys of one client, and the gaps between them. Place
// 2i is key i, place 2i+1 is all between it and key i+1. Every range begins and
// ends at a border: border p is where place p begins. So what a range covers is
// a set of places, exactly.
type conflictPlaces struct {
	env           *Env
	client, space int
}

func (p conflictPlaces) prefix() []byte { return p.env.Key("%02d/%04d/", p.client, p.space) }

func (p conflictPlaces) key(i int) []byte { return fmt.Appendf(p.prefix(), "%02d", i) }

// inner reports whether key i may be changed.
func (conflictPlaces) inner(i int) bool { return i >= conflictEdge && i < conflictKeys-conflictEdge }

// drawKey draws a key that may be changed.
func (conflictPlaces) drawKey(rng *rand.Rand) int {
	return conflictEdge + rng.IntN(conflictKeys-2*conflictEdge)
}

// drawBorder draws a border next to a key that may be changed.
func (p conflictPlaces) drawBorder(rng *rand.Rand) int { return 2*p.drawKey(rng) + rng.IntN(2) }

// drawRange draws two borders, in order; more often near each other.
func (p conflictPlaces) drawRange(rng *rand.Rand) (begin, end int) {
	begin = p.drawBorder(rng)
	end = begin + 1 + rng.IntN(1<<(1+rng.IntN(5)))
	return begin, min(end, 2*(conflictKeys-conflictEdge))
}

// border returns the key at border p.
func (p conflictPlaces) border(at int) []byte {
	if at%2 == 0 {
		return p.key(at / 2)
	}
	return kv.KeyAfter(p.key(at / 2))
}

func (p conflictPlaces) keyRange(begin, end int) kv.KeyRange {
	return kv.KeyRange{Begin: p.border(begin), End: p.border(end)}
}

// name describes a place.
func (conflictPlaces) name(at int) string {
	if at%2 == 0 {
		return fmt.Sprint("key ", at/2)
	}
	return fmt.Sprintf("the gap behind key %d", at/2)
}

// index returns the number of a key.
func (p conflictPlaces) index(key []byte) (int, bool) {
	rest, ok := bytes.CutPrefix(key, p.prefix())
	var i int
	if _, err := fmt.Sscanf(string(rest), "%02d", &i); !ok || err != nil || !bytes.Equal(p.key(i), key) {
		return 0, false
	}
	return i, true
}

// decode returns the numbers that the client's keys hold, among rows.
func (p conflictPlaces) decode(rows []kv.KeyValue) (map[int]uint64, error) {
	numbers := make(map[int]uint64)
	for _, row := range rows {
		if !bytes.HasPrefix(row.Key, p.prefix()) {
			continue
		}
		i, ok := p.index(row.Key)
		if !ok || len(row.Value) != 8 {
			return nil, fmt.Errorf("there is a row %q=%q, which nobody wrote", row.Key, row.Value)
		}
		numbers[i] = binary.LittleEndian.Uint64(row.Value)
	}
	return numbers, nil
}

// differentNumbers describes the first difference.
func differentNumbers(got, want map[int]uint64) string {
	for i := range conflictKeys {
		g, present := got[i]
		if w, expected := want[i]; g != w || present != expected {
			return fmt.Sprintf("key %d holds %d (present: %v), want %d (%v)", i, g, present, w, expected)
		}
	}
	return ""
}

// placeSet is a set of places.
type placeSet [2 * conflictKeys]bool

// add adds the places from border begin to border end.
func (s *placeSet) add(begin, end int) {
	for at := begin; at < end; at++ {
		s[at] = true
	}
}

// common returns a place that both sets have.
func (s *placeSet) common(o placeSet) (at int, ok bool) {
	for at := range s {
		if s[at] && o[at] {
			return at, true
		}
	}
	return 0, false
}

// conflictWriter is a blind transaction and what it changes.
type conflictWriter struct {
	places  conflictPlaces
	version kv.Version
	wrote   placeSet
	// values are the numbers after it.
	values map[int]uint64
	log    []string
}

// String describes the transaction.
func (w conflictWriter) String() string {
	return fmt.Sprintf("%s @%d", strings.Join(w.log, ", "), w.version)
}

// act does a random write.
func (w *conflictWriter) act(rng *rand.Rand, tx *kv.Transaction) {
	i, n := w.places.drawKey(rng), rng.Uint64N(1000)
	begin, end := 2*i, 2*i+1
	switch rng.IntN(6) {
	case 0:
		tx.Clear(w.places.key(i))
		delete(w.values, i)
		w.note("clear key %d", i)
	case 1:
		begin, end = w.places.drawRange(rng)
		tx.ClearRange(w.places.keyRange(begin, end))
		clearNumbers(w.values, begin, end)
		w.note("clear %d to %d", begin, end)
	case 2:
		tx.Add(w.places.key(i), encodeNumber(n))
		w.values[i] += n
		w.note("add %d to key %d", n, i)
	case 3:
		begin, end = w.places.drawRange(rng)
		tx.AddWriteConflictRange(w.places.keyRange(begin, end))
		w.note("conflict range %d to %d", begin, end)
	default:
		tx.Set(w.places.key(i), encodeNumber(n))
		w.values[i] = n
		w.note("set key %d to %d", i, n)
	}
	w.wrote.add(begin, end)
}

func (w *conflictWriter) note(format string, args ...any) {
	w.log = append(w.log, fmt.Sprintf(format, args...))
}

// clearNumbers removes the keys between two borders.
func clearNumbers(numbers map[int]uint64, begin, end int) {
	for at := begin; at < end; at++ {
		if at%2 == 0 {
			delete(numbers, at/2)
		}
	}
}
