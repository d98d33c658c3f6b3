package workload

import (
	"fmt"
	"maps"

	"github.com/plinthdb/plinth/kv"
)

// conflictReader is the transaction whose conflicts are at stake, with a model
// of what it sees and of the places that it has read.
type conflictReader struct {
	client  *Client
	places  conflictPlaces
	tx      *kv.Transaction
	version kv.Version
	// blind says that reads do not see own writes, blindSnapshots that snapshot
	// reads do not.
	blind, blindSnapshots bool

	// stored is what the store holds at the read version, seen the same with
	// own writes.
	stored, seen map[int]uint64
	// own are the places that own writes determine.
	own  placeSet
	read placeSet
	// effects are the own writes, to be done to what is stored at the commit.
	effects []func(numbers map[int]uint64)
	log     []string
}

func newConflictReader(c *Client, places conflictPlaces, tx *kv.Transaction) *conflictReader {
	r := &conflictReader{client: c, places: places, tx: tx}
	r.blind, r.blindSnapshots = c.Rand().IntN(6) == 0, c.Rand().IntN(4) == 0
	tx.SetOptions(kv.WithReadYourWrites(!r.blind), kv.WithSnapshotReadYourWrites(!r.blindSnapshots))
	return r
}

// open fixes the read version, verifies what is stored, and makes sure that
// the transaction writes something.
func (r *conflictReader) open(want map[int]uint64) (err error) {
	if r.version, err = r.tx.ReadVersion(); err != nil {
		return err
	}
	rows, err := r.tx.Snapshot().Range(kv.PrefixRange(r.places.prefix()), kv.RangeOptions{}).Slice()
	if err != nil {
		return err
	}
	if r.stored, err = r.places.decode(rows); err != nil {
		return r.client.Violated("C3", "at version %d: %v", r.version, err)
	}
	if text := differentNumbers(r.stored, want); text != "" {
		return r.client.Violated("C3", "client %d at version %d: %s", r.client.ID(), r.version, text)
	}
	r.seen = maps.Clone(r.stored)
	r.tx.AddWriteConflictKey(r.client.env.Key("commit/%02d", r.client.ID()))
	return nil
}

// outcome returns what the commit leaves, given what it finds.
func (r *conflictReader) outcome(found map[int]uint64) map[int]uint64 {
	numbers := maps.Clone(found)
	for _, do := range r.effects {
		do(numbers)
	}
	return numbers
}

func (r *conflictReader) note(format string, args ...any) {
	r.log = append(r.log, fmt.Sprintf(format, args...))
}

// act does a random read or write.
func (r *conflictReader) act() error {
	rng := r.client.Rand()
	switch rng.IntN(9) {
	case 0, 1:
		return r.get()
	case 2, 3:
		return r.getKey()
	case 4, 5, 6:
		return r.getRange()
	case 7:
		begin, end := r.places.drawRange(rng)
		r.note("conflict range %d to %d", begin, end)
		r.tx.AddReadConflictRange(r.places.keyRange(begin, end))
		r.read.add(begin, end)
		return nil
	}
	r.write()
	return nil
}

// write does an own write.
func (r *conflictReader) write() {
	rng := r.client.Rand()
	i, n := r.places.drawKey(rng), rng.Uint64N(1000)
	var do func(numbers map[int]uint64)
	switch rng.IntN(4) {
	case 0:
		begin, end := r.places.drawRange(rng)
		r.note("clear %d to %d", begin, end)
		r.tx.ClearRange(r.places.keyRange(begin, end))
		r.own.add(begin, end)
		do = func(numbers map[int]uint64) { clearNumbers(numbers, begin, end) }
	case 1:
		r.note("add %d to key %d", n, i)
		r.tx.Add(r.places.key(i), encodeNumber(n))
		do = func(numbers map[int]uint64) { numbers[i] += n }
	default:
		r.note("set key %d to %d", i, n)
		r.tx.Set(r.places.key(i), encodeNumber(n))
		r.own.add(2*i, 2*i+1)
		do = func(numbers map[int]uint64) { numbers[i] = n }
	}
	do(r.seen)
	r.effects = append(r.effects, do)
}

// view is what one read sees, and how to note what it has read.
type view struct {
	kv.Reader
	numbers map[int]uint64
	depend  func(begin, end int)
	name    string
}

// view draws whether the next read is a snapshot read.
func (r *conflictReader) view() view {
	v := view{Reader: r.tx, numbers: r.seen, depend: r.depend}
	snapshot := r.client.Rand().IntN(4) == 0
	if snapshot {
		v.Reader, v.depend, v.name = r.tx.Snapshot(), func(int, int) {}, "snapshot "
	}
	if r.blind || snapshot && r.blindSnapshots {
		v.numbers = r.stored
	}
	return v
}

// depend notes that places were read, but for those that own writes determine.
func (r *conflictReader) depend(begin, end int) {
	for at := begin; at < end; at++ {
		if r.blind || !r.own[at] {
			r.read[at] = true
		}
	}
}

func (r *conflictReader) get() error {
	i, v := r.places.drawKey(r.client.Rand()), r.view()
	r.note("%sget key %d", v.name, i)
	value, err := v.Get(r.places.key(i)).Wait()
	if err != nil {
		return err
	}
	v.depend(2*i, 2*i+1)
	n, present := v.numbers[i]
	if got, err := decodeNumber(value); present != (value != nil) || present && (err != nil || got != n) {
		return r.wrong("found %x, want %d (present: %v)", value, n, present)
	}
	return nil
}

func (r *conflictReader) wrong(format string, args ...any) error {
	return r.client.Violated("C3", "client %d at version %d: %s (after %v)", r.client.ID(), r.version, fmt.Sprintf(format, args...), r.log)
}

// bound is a selector, and the border that it counts from.
type bound struct {
	kv.KeySelector
	from int
}

// drawBound draws a selector with offset 1, which names a border, or any.
func (r *conflictReader) drawBound(any bool) bound {
	rng := r.client.Rand()
	i, orEqual := r.places.drawKey(rng), rng.IntN(2)
	b := bound{KeySelector: kv.KeySelector{Key: r.places.key(i), OrEqual: orEqual == 1, Offset: 1}, from: 2*i + orEqual}
	if any {
		b.Offset = rng.IntN(2*conflictReach) - conflictReach + 1
	}
	return b
}

// String describes the selector.
func (b bound) String() string { return fmt.Sprintf("(%d, %+d)", b.from, b.Offset) }

// resolve returns the key that a selector names, and notes what it went over.
func (v view) resolve(b bound) (i int) {
	step, at, left := 1, b.from+b.from%2, b.Offset
	if b.Offset <= 0 {
		step, at, left = -1, (b.from-1)&^1, 1-b.Offset
	}
	for ; ; at += 2 * step {
		if _, present := v.numbers[at/2]; present {
			if left--; left == 0 {
				break
			}
		}
	}
	if step > 0 {
		v.depend(b.from, at+1)
	} else {
		v.depend(at, b.from)
	}
	return at / 2
}

// border returns where a range begins or ends that has b as its bound.
func (v view) border(b bound) int {
	if b.Offset == 1 {
		return b.from // the first key from there on is as good as the border
	}
	return 2 * v.resolve(b)
}

func (r *conflictReader) getKey() error {
	b, v := r.drawBound(true), r.view()
	r.note("%skey %v", v.name, b)
	key, err := v.GetKey(b.KeySelector).Wait()
	if err != nil {
		return err
	}
	if want := v.resolve(b); string(key) != string(r.places.key(want)) {
		return r.wrong("found key %q, want %d", key, want)
	}
	return nil
}

// getRange reads a range: by keys or selectors, in both directions, with limits,
// at once, row by row, or not to its end.
func (r *conflictReader) getRange() error {
	rng, v := r.client.Rand(), r.view()
	selected := rng.IntN(3) == 0
	b, e := r.drawBound(selected), r.drawBound(selected)
	if !selected && e.from < b.from {
		b, e = e, b
	}
	rowBytes := len(r.places.key(0)) + 8
	options := kv.RangeOptions{Reverse: rng.IntN(2) == 0}
	limit := conflictKeys
	switch rng.IntN(4) {
	case 0, 1:
		options.Limit = 1 + rng.IntN(5)
		limit = options.Limit
	case 2:
		options.LimitBytes = 1 + rng.IntN(5*rowBytes)
		limit = (options.LimitBytes + rowBytes - 1) / rowBytes
	}
	enough := conflictKeys + 1 // rows after which the iteration is broken off
	slice := rng.IntN(2) == 0
	if !slice && rng.IntN(2) == 0 {
		enough = 1 + rng.IntN(4)
	}
	r.note("%srange %v to %v, reverse %v, limit %d, at once %v, enough %d", v.name, b, e, options.Reverse, limit, slice, enough)
	rows, err := readRows(v.RangeSelectors(b.KeySelector, e.KeySelector, options), slice, enough)
	if err != nil {
		return err
	}
	return r.compareRange(v, rows, b, e, options.Reverse, min(limit, enough))
}

func readRows(result *kv.RangeResult, slice bool, enough int) (rows []kv.KeyValue, err error) {
	if slice {
		return result.Slice()
	}
	for row, err := range result.All() {
		if err != nil {
			return nil, err
		}
		if rows = append(rows, row); len(rows) == enough {
			break
		}
	}
	return rows, nil
}

// compareRange compares the rows, at most limit, and notes what was read.
func (r *conflictReader) compareRange(v view, rows []kv.KeyValue, b, e bound, reverse bool, limit int) error {
	begin, end := v.border(b), v.border(e)
	got, err := r.places.decode(rows)
	if err != nil || len(got) != len(rows) {
		return r.wrong("found %d rows with %d keys (%v)", len(rows), len(got), err)
	}
	var want []int
	last := -1
	for at := begin; at < end; at++ {
		place := at
		if reverse {
			place = begin + end - 1 - at
		}
		if _, present := v.numbers[place/2]; place%2 == 0 && present {
			if want = append(want, place/2); len(want) == limit {
				last = place
				break
			}
		}
	}
	if len(want) != len(rows) {
		return r.wrong("found %d rows, want keys %v", len(rows), want)
	}
	for i, row := range rows {
		if at, _ := r.places.index(row.Key); at != want[i] || got[at] != v.numbers[at] {
			return r.wrong("row %d is key %d with %d, want key %d with %d", i, at, got[at], want[i], v.numbers[want[i]])
		}
	}
	switch {
	case begin >= end:
	case last < 0:
		v.depend(begin, end)
	case reverse:
		v.depend(last, end)
	default:
		v.depend(begin, last+1)
	}
	return nil
}
