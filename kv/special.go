package kv

import (
	"bytes"
	"errors"
	"slices"
	"strings"

	"github.com/plinthdb/plinth/internal/wire"
)

// Special keys begin with \xff\xff. Nothing of them is stored: a module makes
// them up when they are read, and some take what is written there as a command.
// Names and rules are FoundationDB's.
const (
	specialBegin = "\xff\xff"
	specialEnd   = "\xff\xff\xff"
)

// isSpecial reports whether key is among the special keys.
func isSpecial(key []byte) bool { return len(key) >= 2 && key[0] == 0xff && key[1] == 0xff }

// specialModule makes up the special keys with begin <= key < end.
type specialModule struct {
	begin, end string
	// read returns rows of the module in order, all of those in r, perhaps more.
	read func(a *attempt, r KeyRange) ([]KeyValue, error)
	// write notes that the module's keys of r are cleared or, with a value, that
	// the one key in r is set. nil: they are only read. The lock is held.
	write func(a *attempt, r KeyRange, value []byte) error
}

// specialModules returns all modules, in the order of their keys.
func specialModules() []specialModule {
	single := func(name string, read func(a *attempt) ([]byte, error)) specialModule {
		key := specialBegin + name
		return specialModule{begin: key, end: key + "\x00", read: func(a *attempt, _ KeyRange) ([]KeyValue, error) {
			value, err := read(a)
			if err != nil || value == nil {
				return nil, err
			}
			return []KeyValue{{Key: []byte(key), Value: value}}, nil
		}}
	}
	below := func(name string, read func(a *attempt, r KeyRange) ([]KeyValue, error)) specialModule {
		return specialModule{begin: specialBegin + name + "/", end: specialBegin + name + "0", read: read}
	}
	management := below("/management", (*attempt).readManagement)
	management.write = (*attempt).writeManagementLocked
	return []specialModule{
		single("/cluster_file_path", (*attempt).clusterFilePath),
		single("/cluster_id", (*attempt).clusterID),
		single("/connection_string", (*attempt).connectionString),
		single("/error_message", (*attempt).specialErrorMessage),
		management,
		below("/metrics", (*attempt).readMetrics),
		single("/status/json", (*attempt).statusJSON),
		below("/transaction", (*attempt).readTransactionModule),
	}
}

func (m *specialModule) keyRange() KeyRange {
	return KeyRange{Begin: []byte(m.begin), End: []byte(m.end)}
}

// specialGet reads one special key.
func (a *attempt) specialGet(key []byte) ([]byte, error) {
	only := wire.SingleKey(key)
	rows, err := a.specialRange(FirstGreaterOrEqual(only.Begin), FirstGreaterOrEqual(only.End))
	if err != nil || len(rows) == 0 {
		return nil, err
	}
	return rows[0].Value, nil
}

// specialRange returns the rows between two selected special keys.
func (a *attempt) specialRange(begin, end KeySelector) ([]KeyValue, error) {
	if err := a.readsSpecial(); err != nil {
		return nil, err
	}
	a.mu.Lock()
	relaxed := a.mu.options.specialRelaxed
	a.mu.Unlock()
	within := KeyRange{Begin: []byte(specialBegin), End: []byte(specialEnd)}
	if !relaxed {
		m, err := specialModuleOf(begin.Key, end.Key)
		if err != nil {
			return nil, err
		}
		within = m.keyRange()
	}
	from, err := a.specialBound(begin, within, relaxed)
	if err != nil {
		return nil, err
	}
	to, err := a.specialBound(end, within, relaxed)
	if err != nil {
		return nil, err
	}
	return a.specialRows(KeyRange{Begin: from, End: to}, relaxed)
}

// readsSpecial returns why special keys cannot be read. After a commit they
// can: what conflicted is found there.
func (a *attempt) readsSpecial() error {
	if err := a.db.usable(); err != nil {
		return err
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.mu.cause != nil {
		return a.mu.cause
	}
	return a.mu.invalid
}

// specialModuleOf returns the one module that a read between two keys is in.
func specialModuleOf(begin, end []byte) (*specialModule, error) {
	gapBegin, gapEnd := specialBegin, specialEnd
	for _, m := range specialModules() {
		switch {
		case string(begin) >= m.end:
			gapBegin = m.end
			continue
		case string(begin) < m.begin:
			gapEnd = m.begin
		case string(end) < m.begin || string(end) > m.end:
			return nil, wire.ErrSpecialCrossModuleRead
		default:
			return &m, nil
		}
		break
	}
	if string(end) < gapBegin || string(end) > gapEnd {
		return nil, wire.ErrSpecialCrossModuleRead
	}
	return nil, wire.ErrSpecialNoModule.With("no module of special keys at %s; this store has %s", printable(begin), specialNames())
}

// specialNames lists the modules for people.
func specialNames() string {
	var names []string
	for _, m := range specialModules() {
		names = append(names, strings.TrimPrefix(strings.TrimSuffix(m.begin, "/"), specialBegin+"/"))
	}
	return strings.Join(names, ", ")
}

// specialBound returns the bound that selector gives a range of special keys.
// It does not leave within.
func (a *attempt) specialBound(selector KeySelector, within KeyRange, relaxed bool) ([]byte, error) {
	bound := boundOf(selector, specialEnd)
	if selector.Offset == 1 {
		return bound, nil
	}
	rows, err := a.specialRows(within, relaxed)
	if err != nil {
		return nil, err
	}
	below, _ := slices.BinarySearchFunc(rows, bound, func(row KeyValue, key []byte) int { return bytes.Compare(row.Key, key) })
	switch i := below - 1 + selector.Offset; {
	case i < 0:
		return within.Begin, nil
	case i >= len(rows):
		return within.End, nil
	default:
		return rows[i].Key, nil
	}
}

// specialRows returns the rows of all modules in r, in order. With relaxed, a
// part of r where a module has nothing is like one where there is no module.
func (a *attempt) specialRows(r KeyRange, relaxed bool) (rows []KeyValue, err error) {
	for _, m := range specialModules() {
		part := m.keyRange()
		if !part.Overlaps(r) || r.Empty() {
			continue
		}
		part.Begin, part.End = maxKey(part.Begin, r.Begin), minKey(part.End, r.End)
		found, err := m.read(a, part)
		if relaxed && errors.Is(err, wire.ErrSpecialNoModule) {
			continue
		}
		if err != nil {
			return nil, err
		}
		for _, row := range found {
			if part.Contains(row.Key) {
				rows = append(rows, row)
			}
		}
	}
	return rows, nil
}

func maxKey(a, b []byte) []byte {
	if bytes.Compare(a, b) < 0 {
		return b
	}
	return a
}

func minKey(a, b []byte) []byte {
	if bytes.Compare(a, b) < 0 {
		return a
	}
	return b
}

// limited returns the rows that options leave of rows.
func (o *RangeOptions) limited(rows []KeyValue) []KeyValue {
	if o.Reverse {
		slices.Reverse(rows)
	}
	size := 0
	for i, row := range rows {
		size += len(row.Key) + len(row.Value)
		if o.Limit > 0 && i+1 >= o.Limit || o.LimitBytes > 0 && size >= o.LimitBytes {
			return rows[:i+1]
		}
	}
	return rows
}

// writeSpecial clears the special keys of r or, with a value, sets the one key
// in it.
func (a *attempt) writeSpecial(r KeyRange, value []byte) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.usableLocked() != nil || r.Empty() {
		return
	}
	if !a.mu.options.specialWrites {
		a.refuseLocked(wire.ErrSpecialWriteDisabled)
		return
	}
	var module *specialModule
	for _, m := range specialModules() {
		if !m.keyRange().Overlaps(r) {
			continue
		}
		if module != nil {
			a.refuseLocked(wire.ErrSpecialCrossModule)
			return
		}
		module = &m
	}
	if module == nil || module.write == nil {
		a.refuseLocked(wire.ErrSpecialNoWriteModule.With("special keys at %s cannot be written in this store", printable(r.Begin)))
		return
	}
	if err := module.write(a, r, value); err != nil {
		a.refuseLocked(err)
	}
}

// specialErrorMessage says in JSON what was wrong with the last write.
func (a *attempt) specialErrorMessage() ([]byte, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.mu.lockWrite == nil {
		return nil, nil
	}
	return bytes.Clone(a.mu.lockWrite.failure), nil
}
