package history

import (
	"fmt"
	"slices"
	"sort"
)

// read is what a transaction saw of one key and what its own writes do not
// explain.
type read struct {
	key      int32
	absent   bool
	list     bool
	ranged   bool // a range read covered the key and gave no row for it
	snapshot bool
	value    string
	elements []string
}

// effect is what a transaction leaves of one key, or one of its appends.
type effect struct {
	key    int32
	absent bool
	value  string
}

// slot is a value of a key.
type slot struct {
	key   int32
	value string
}

// writer is where a value comes from: a transaction, and the place of the value
// among the versions of its key.
type writer struct {
	txn          int32
	intermediate bool
	place        int32 // noPlace until it is known
}

const noPlace = -1

// scanner goes through the transactions one by one and takes their operations
// apart.
type scanner struct {
	history *History
	keys    []string // sorted
	ids     map[string]int32
	lists   []bool // by key
	writers map[slot]writer
	reads   [][]read   // by transaction
	effects [][]effect // by transaction
	found   *findings

	// The transaction under way: its own writes, in the order of their first
	// write, and where each key's are.
	txn   int32
	own   []ownWrite
	ownAt map[int32]int
}

// ownWrite is what a transaction did to a key so far.
type ownWrite struct {
	key      int32
	absent   bool
	value    string
	appended []string
}

func scan(h *History, found *findings) (*scanner, error) {
	s := &scanner{history: h, writers: make(map[slot]writer), ownAt: make(map[int32]int), found: found}
	if err := s.collectKeys(); err != nil {
		return nil, err
	}
	s.reads = make([][]read, len(h.Transactions))
	s.effects = make([][]effect, len(h.Transactions))
	for n := range h.Transactions {
		if err := s.transaction(int32(n)); err != nil {
			return nil, err
		}
	}
	return s, nil
}

// collectKeys numbers all keys in their order.
func (s *scanner) collectKeys() error {
	isList := make(map[string]bool)
	note := func(n int, key string, list bool) error {
		before, ok := isList[key]
		if ok && before != list {
			return unusable("transaction %d: key %q is used both as a register and as a list", n, key)
		}
		isList[key] = list
		return nil
	}
	for n := range s.history.Transactions {
		t := &s.history.Transactions[n]
		if t.End < t.Begin {
			return unusable("transaction %d ends before it begins", n)
		}
		for i := range t.Ops {
			op := &t.Ops[i]
			switch op.Kind {
			case Read, Write, Clear, ReadList, Append:
				if err := note(n, op.Key, op.Kind == ReadList || op.Kind == Append); err != nil {
					return err
				}
			case ReadRange:
				for _, row := range op.Rows {
					if err := note(n, row.Key, false); err != nil {
						return err
					}
				}
			case ClearRange:
			default:
				return unusable("transaction %d has an operation of kind %d", n, op.Kind)
			}
		}
	}
	s.keys = sortedKeys(isList)
	s.ids = make(map[string]int32, len(s.keys))
	s.lists = make([]bool, len(s.keys))
	for id, key := range s.keys {
		s.ids[key] = int32(id)
		s.lists[id] = isList[key]
	}
	return nil
}

func (s *scanner) transaction(n int32) error {
	s.txn, s.own = n, s.own[:0]
	clear(s.ownAt)
	t := &s.history.Transactions[n]
	for i := range t.Ops {
		if err := s.step(&t.Ops[i]); err != nil {
			return err
		}
	}
	for _, w := range s.own {
		if s.lists[w.key] {
			for _, e := range w.appended {
				s.effects[n] = append(s.effects[n], effect{key: w.key, value: e})
			}
			continue
		}
		s.effects[n] = append(s.effects[n], effect{key: w.key, absent: w.absent, value: w.value})
	}
	return nil
}

func (s *scanner) step(op *Op) error {
	switch op.Kind {
	case Read:
		s.read(read{key: s.ids[op.Key], absent: op.Absent, value: op.Value, snapshot: op.Snapshot})
	case ReadList:
		s.readList(read{key: s.ids[op.Key], list: true, elements: op.List, snapshot: op.Snapshot})
	case ReadRange:
		return s.readRange(op)
	case Write, Append:
		return s.write(s.ids[op.Key], op)
	case Clear:
		s.clear(s.ids[op.Key])
	case ClearRange:
		return s.eachInRange(op, func(key int32) error {
			s.clear(key)
			return nil
		})
	}
	return nil
}

// eachInRange calls f with all keys of the range of op, which must be
// registers.
func (s *scanner) eachInRange(op *Op, f func(key int32) error) error {
	for id := sort.SearchStrings(s.keys, op.Key); id < len(s.keys) && s.keys[id] < op.End; id++ {
		if s.lists[id] {
			return unusable("transaction %d: the range from %q to %q contains the list %q", s.txn, op.Key, op.End, s.keys[id])
		}
		if err := f(int32(id)); err != nil {
			return err
		}
	}
	return nil
}

func (s *scanner) readRange(op *Op) error {
	next := 0
	err := s.eachInRange(op, func(key int32) error {
		r := read{key: key, absent: true, ranged: true, snapshot: op.Snapshot}
		if next < len(op.Rows) && op.Rows[next].Key == s.keys[key] {
			r.absent, r.ranged, r.value = false, false, op.Rows[next].Value
			next++
		}
		s.read(r)
		return nil
	})
	if err == nil && next < len(op.Rows) {
		return unusable("transaction %d: row %q of the range from %q to %q is outside or out of order", s.txn, op.Rows[next].Key, op.Key, op.End)
	}
	return err
}

// read compares a read with the transaction's own write, or keeps it.
func (s *scanner) read(r read) {
	at, ok := s.ownAt[r.key]
	if !ok {
		s.reads[s.txn] = append(s.reads[s.txn], r)
		return
	}
	if w := &s.own[at]; w.absent != r.absent || w.value != r.value {
		s.found.add(Anomaly{Kind: Internal, Text: fmt.Sprintf("T%d read %s = %s after it had itself made it %s",
			s.txn, s.keys[r.key], show(r.absent, r.value), show(w.absent, w.value))})
	}
}

// readList takes the transaction's own elements off the end of what was read.
func (s *scanner) readList(r read) {
	if at, ok := s.ownAt[r.key]; ok {
		own := s.own[at].appended
		rest := len(r.elements) - len(own)
		if rest < 0 || !slices.Equal(r.elements[rest:], own) {
			s.found.add(Anomaly{Kind: Internal, Text: fmt.Sprintf("T%d read %s = %v, which does not end with its own elements %v",
				s.txn, s.keys[r.key], r.elements, own)})
			return
		}
		r.elements = r.elements[:rest]
	}
	s.reads[s.txn] = append(s.reads[s.txn], r)
}

func (s *scanner) write(key int32, op *Op) error {
	at := slot{key, op.Value}
	if before, ok := s.writers[at]; ok {
		return unusable("transactions %d and %d both write %s = %q: values must be unique to tell who wrote them", before.txn, s.txn, op.Key, op.Value)
	}
	s.writers[at] = writer{txn: s.txn, place: noPlace}
	w := s.ownWrite(key)
	if op.Kind == Append {
		w.appended = append(w.appended, op.Value)
		return nil
	}
	s.replace(w)
	w.absent, w.value = false, op.Value
	return nil
}

func (s *scanner) clear(key int32) {
	w := s.ownWrite(key)
	s.replace(w)
	w.absent, w.value = true, ""
}

// replace marks what the transaction wrote before as intermediate.
func (s *scanner) replace(w *ownWrite) {
	if before, ok := s.writers[slot{w.key, w.value}]; ok && !w.absent && before.txn == s.txn {
		before.intermediate = true
		s.writers[slot{w.key, w.value}] = before
	}
}

func (s *scanner) ownWrite(key int32) *ownWrite {
	at, ok := s.ownAt[key]
	if !ok {
		at = len(s.own)
		s.ownAt[key] = at
		s.own = append(s.own, ownWrite{key: key, absent: true})
	}
	return &s.own[at]
}
