package model

import (
	"strings"

	"github.com/plinthdb/plinth/internal/sim/oracle"
	"github.com/plinthdb/plinth/internal/wire"
	"github.com/plinthdb/plinth/tests/conformance/machine"
)

const (
	maxKeyBytes   = 10_000
	maxValueBytes = 100_000
	// system is the first key of the system.
	system = "\xff"
)

// transaction implements machine.Transaction.
type transaction struct {
	store *Store
	attempt
	cancelled bool
	// unknown: OnError got an error that leaves open what was committed.
	unknown bool
	// last is how the commit ended that reset the transaction.
	last *outcome
}

// attempt is what a reset forgets.
type attempt struct {
	// base is what is read, nil until then.
	base    *state
	version int64
	// view is what the transaction sees, nil until it looks.
	view      *oracle.Rows
	mutations []wire.Mutation
	// determined are the keys that own writes alone determine.
	determined    []oracle.Span
	reads, writes []oracle.Span
	// stampedKeys are the parameters of SET_VERSIONSTAMPED_KEY that conflict.
	stampedKeys []string
	// without: the next write adds no conflict.
	without bool
	invalid error // the first invalid operation
	ended   error // why nothing is possible any more
	// committed says that a commit succeeded, hadVersion that the read version was
	// known before it.
	committed, hadVersion bool
	outcome               *end // nil until needed
}

// outcome is how a commit ended.
type outcome struct {
	err     error
	stamp   wire.Stamp
	version int64 // 0 if nothing was written
}

// usable returns why no operation is possible.
func (t *transaction) usable() error {
	switch {
	case t.cancelled && !(t.committed && t.store.dialect.CommitOutlivesCancel):
		return errCancelled
	case t.ended != nil:
		return t.ended
	}
	return t.invalid
}

// invalidate notes the first invalid operation.
func (t *transaction) invalidate(err error) {
	if t.usable() == nil {
		t.invalid = err
	}
}

// look returns what the transaction sees, or its snapshot. It fixes the read
// version.
func (t *transaction) look(snapshot bool) *oracle.Rows {
	t.read()
	if len(t.mutations) == 0 || snapshot && t.store.dialect.SnapshotsSkipOwnWrites {
		return &oracle.Rows{Values: t.base.values} // nobody changes it
	}
	if t.view == nil {
		t.view = oracle.New(t.base.values)
		for _, m := range t.mutations {
			t.view.Apply(m, wire.Version(t.version))
		}
	}
	return t.view
}

// read fixes the read version.
func (t *transaction) read() {
	if t.base == nil {
		t.base = t.store.last()
		t.version = t.base.version
	}
}

// ReadVersion implements machine.Reader.
func (t *transaction) ReadVersion() (int64, error) {
	if err := t.usable(); err != nil {
		d := t.store.dialect
		switch {
		case t.ended == nil || err != t.ended:
			return 0, err
		case d.CommitForgetsReadVersion:
			t.base = nil
			t.hadVersion = true
		case !d.CommitKeepsReadVersion || !t.hadVersion:
			return 0, err
		}
	}
	t.read()
	return t.version, nil
}

func (t *transaction) SetReadVersion(version int64) {
	switch {
	case t.usable() != nil:
	case version <= 0:
		t.invalidate(errVersionInvalid)
	case t.base != nil:
		t.invalidate(errReadVersionSet)
	default:
		t.base, t.version = t.store.at(version), version
	}
}

// checkKey returns why a key cannot be read or written.
func checkKey(key []byte) error {
	switch {
	case string(key) >= system:
		return errOutsideLegalRange
	case len(key) > maxKeyBytes:
		return errKeyTooLarge
	}
	return nil
}

// checkRange returns why a range cannot be written or declared.
func (t *transaction) checkRange(begin, end []byte) error {
	switch {
	case t.store.dialect.LongKeysFail && max(len(begin), len(end)) > maxKeyBytes+1:
		return errKeyTooLarge
	case string(begin) > string(end):
		return errInvertedRange
	case string(end) > system:
		return errOutsideLegalRange
	}
	return nil
}

// write adds a mutation, unless check says why it is invalid, and returns
// whether it conflicts.
func (t *transaction) write(m wire.Mutation, check error) (conflicts bool) {
	conflicts = !t.without
	t.without = false
	if t.usable() != nil || check != nil {
		t.invalidate(check)
		return false
	}
	m.Param1, m.Param2 = clone(m.Param1), clone(m.Param2)
	t.mutations = append(t.mutations, m)
	if t.view != nil {
		t.view.Apply(m, wire.Version(t.version))
	}
	return conflicts
}

func clone(b []byte) []byte { return append([]byte{}, b...) }

func (t *transaction) Set(key, value []byte) {
	check := checkKey(key)
	if check == nil && len(value) > maxValueBytes {
		check = errValueTooLarge
	}
	t.writeKey(wire.SetValue, key, value, check, true)
}

// writeKey adds a mutation of one key, which determines it or not.
func (t *transaction) writeKey(typ wire.MutationType, key, param []byte, check error, determines bool) {
	conflicts := t.write(wire.Mutation{Type: typ, Param1: key, Param2: param}, check)
	if t.usable() != nil {
		return
	}
	span := oracle.Point(string(key))
	if conflicts {
		t.writes = append(t.writes, span)
	}
	if determines {
		t.determined = append(t.determined, span)
	}
}

func (t *transaction) Clear(key []byte) {
	check := checkKey(key)
	if check != nil {
		t.without = false
		if check != errKeyTooLarge || t.store.dialect.LongKeysFail {
			t.invalidate(check)
		}
		return
	}
	t.ClearRange(key, append(clone(key), 0))
}

func (t *transaction) ClearRange(begin, end []byte) {
	check := t.checkRange(begin, end)
	begin, end = cut(begin), cut(end)
	if check == nil && string(begin) == string(end) {
		t.without = false
		return
	}
	conflicts := t.write(wire.Mutation{Type: wire.ClearRange, Param1: begin, Param2: end}, check)
	if t.usable() != nil {
		return
	}
	span := oracle.Span{Begin: string(begin), End: string(end)}
	if conflicts {
		t.writes = append(t.writes, span)
	}
	t.determined = append(t.determined, span)
}

func (t *transaction) ClearPrefix(prefix []byte) error {
	begin, end := prefixBounds(string(prefix))
	t.ClearRange([]byte(begin), []byte(end))
	return nil
}

// prefixBounds returns the range of the keys that begin with prefix.
func prefixBounds(prefix string) (begin, end string) {
	head := prefix
	for strings.HasSuffix(head, "\xff") {
		head = head[:len(head)-1]
	}
	if head == "" {
		return prefix, system
	}
	return prefix, head[:len(head)-1] + string([]byte{head[len(head)-1] + 1})
}

// mutations by the names of FoundationDB's atomic operations.
func atomicType(name string) (wire.MutationType, bool) {
	for i, names := range [][]string{
		wire.AddValue:               {"ADD"},
		wire.BitAnd:                 {"AND", "BIT_AND"},
		wire.BitOr:                  {"OR", "BIT_OR"},
		wire.BitXor:                 {"XOR", "BIT_XOR"},
		wire.AppendIfFits:           {"APPEND_IF_FITS"},
		wire.Max:                    {"MAX"},
		wire.Min:                    {"MIN"},
		wire.SetVersionstampedKey:   {"SET_VERSIONSTAMPED_KEY"},
		wire.SetVersionstampedValue: {"SET_VERSIONSTAMPED_VALUE"},
		wire.ByteMin:                {"BYTE_MIN"},
		wire.ByteMax:                {"BYTE_MAX"},
		wire.CompareAndClear:        {"COMPARE_AND_CLEAR"},
	} {
		for _, n := range names {
			if n == name {
				return wire.MutationType(i), true
			}
		}
	}
	return 0, false
}

func (t *transaction) Atomic(name string, key, operand []byte) bool {
	typ, ok := atomicType(name)
	d := t.store.dialect
	if d.AbsentIsZeros && (typ == wire.BitAnd || typ == wire.Min) && ok {
		without := t.without
		t.Atomic("OR", key, make([]byte, len(operand))) // makes an absent key zeros
		t.without = without
	}
	if d.ShortStampPlace && typ == wire.SetVersionstampedKey {
		key = append(clone(key), 0, 0)
	}
	if d.ShortStampPlace && typ == wire.SetVersionstampedValue {
		operand = append(clone(operand), 0, 0, 0, 0)
	}
	switch {
	case !ok:
	case typ == wire.SetVersionstampedKey:
		t.setStampedKey(key, operand)
	case typ == wire.SetVersionstampedValue:
		check := checkKey(key)
		if !hasPlace(operand) {
			check = errInvalidOperation
		}
		t.writeKey(typ, key, operand, check, true)
	default:
		check := checkKey(key)
		if check == nil && len(operand) > maxValueBytes {
			check = errValueTooLarge
		}
		t.writeKey(typ, key, operand, check, false)
	}
	return ok
}

// hasPlace reports whether the last four bytes of param are a place at which a
// stamp fits into the rest.
func hasPlace(param []byte) bool {
	n := len(param) - 4
	if n < 0 {
		return false
	}
	place := int64(param[n]) | int64(param[n+1])<<8 | int64(param[n+2])<<16 | int64(param[n+3])<<24
	return place+wire.StampBytes <= int64(n)
}

func (t *transaction) setStampedKey(key, value []byte) {
	var check error
	if !hasPlace(key) {
		check = errInvalidOperation
	} else if check = checkKey(key[:len(key)-4]); check == nil && len(value) > maxValueBytes {
		check = errValueTooLarge
	}
	conflicts := t.write(wire.Mutation{Type: wire.SetVersionstampedKey, Param1: key, Param2: value}, check)
	if t.usable() != nil {
		return
	}
	if conflicts {
		t.stampedKeys = append(t.stampedKeys, string(key))
	}
}

func (t *transaction) NextWriteWithoutConflict() { t.without = true }

func (t *transaction) AddReadConflict(begin, end []byte) error {
	return t.addConflict(begin, end, func(s oracle.Span) {
		if t.store.dialect.OwnWritesDeclared {
			t.reads = append(t.reads, s)
			return
		}
		t.depend(s)
	})
}

func (t *transaction) AddWriteConflict(begin, end []byte) error {
	return t.addConflict(begin, end, func(s oracle.Span) { t.writes = append(t.writes, s) })
}

func (t *transaction) addConflict(begin, end []byte, add func(oracle.Span)) error {
	check := t.checkRange(begin, end)
	if check == errInvertedRange && t.store.dialect.InvertedConflictFails {
		return check
	}
	switch {
	case t.usable() != nil:
	case check != nil:
		t.invalidate(check)
	case string(cut(begin)) < string(cut(end)):
		add(oracle.Span{Begin: string(cut(begin)), End: string(cut(end))})
	}
	return nil
}

// cut returns a bound between the same keys that is at most a byte longer than
// a key can be: a range of longer keys alone is empty.
func cut(bound []byte) []byte { return bound[:min(len(bound), maxKeyBytes+1)] }

func (t *transaction) AddReadConflictKey(key []byte) error {
	return t.AddReadConflict(key, append(clone(key), 0))
}

func (t *transaction) AddWriteConflictKey(key []byte) error {
	return t.AddWriteConflict(key, append(clone(key), 0))
}

func (t *transaction) ApproximateSize() error { return nil }

func (t *transaction) Snapshot() machine.Reader { return snapshot{t} }
