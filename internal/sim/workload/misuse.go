package workload

import (
	"bytes"
	"encoding/binary"
	"time"

	"github.com/plinthdb/plinth/internal/wire"
	"github.com/plinthdb/plinth/kv"
)

// misuse is an invalid call and the error that it must give.
type misuse[T any] struct {
	name string
	want error
	do   T
}

// badKey draws a key that nobody can write, or read with Get.
func (k apiKeys) badKey() (key []byte, want error) {
	switch k.rng.IntN(3) {
	case 0:
		return append([]byte(k.key()), bytes.Repeat([]byte("k"), kv.MaxKeyBytes)...), kv.ErrKeyTooLarge
	case 1:
		return append([]byte("\xff"), k.key()...), kv.ErrKeyOutsideLegalRange
	}
	return []byte("\xff"), kv.ErrKeyOutsideLegalRange
}

// badValue is longer than values may be.
func (k apiKeys) badValue() []byte { return make([]byte, kv.MaxValueBytes+1+k.rng.IntN(100)) }

// beyond draws the bound of a range that goes beyond the user's keys.
func (k apiKeys) beyond() []byte {
	return append([]byte("\xff"), keyLetters[k.rng.IntN(len(keyLetters))]...)
}

// inverted draws a range that begins after its end.
func (k apiKeys) inverted() kv.KeyRange {
	key := []byte(k.key())
	return kv.KeyRange{Begin: kv.KeyAfter(key), End: key}
}

// badRange draws a range that cannot be written.
func (k apiKeys) badRange() (r kv.KeyRange, want error) {
	key := []byte(k.key())
	switch k.rng.IntN(3) {
	case 0:
		return k.inverted(), kv.ErrInvertedRange
	case 1:
		return kv.KeyRange{Begin: key, End: k.beyond()}, kv.ErrKeyOutsideLegalRange
	}
	return kv.KeyRange{Begin: key, End: bytes.Repeat([]byte("\xfe"), kv.MaxKeyBytes+2)}, kv.ErrKeyTooLarge
}

// badParam draws a parameter into which its stamp does not fit.
func (k apiKeys) badParam() []byte {
	if k.rng.IntN(2) == 0 {
		return []byte(k.prefix)[:k.rng.IntN(4+wire.StampBytes)]
	}
	content := append([]byte(k.key()), make([]byte, wire.StampBytes)...)
	at := uint32(len(content) - wire.StampBytes + 1 + k.rng.IntN(20))
	if k.rng.IntN(4) == 0 {
		at = 1<<32 - 1 - uint32(k.rng.IntN(20))
	}
	return binary.LittleEndian.AppendUint32(content, at)
}

// notAtomic draws a mutation type that Atomic does not take.
func (k apiKeys) notAtomic() kv.MutationType {
	for {
		typ := kv.MutationType(k.rng.IntN(256))
		if k.rng.IntN(2) == 0 {
			typ %= 24
		}
		if !typ.IsAtomic() && !typ.IsVersionstamped() {
			return typ
		}
	}
}

// invalidWrite draws a write that spoils its transaction. versionKnown says
// that the transaction has asked for its read version.
func (k apiKeys) invalidWrite(versionKnown bool) misuse[func(*kv.Transaction)] {
	key, value := []byte(k.key()), []byte(k.value())
	badKey, keyErr := k.badKey()
	badRange, rangeErr := k.badRange()
	op := atomicMutations[k.rng.IntN(len(atomicMutations))]
	notAtomic, badParam := k.notAtomic(), k.badParam()
	longParam := func() []byte { return binary.LittleEndian.AppendUint32(k.badValue(), 0) }
	version := -kv.Version(k.rng.IntN(2))
	versionErr := error(kv.ErrVersionInvalid)
	if versionKnown && k.rng.IntN(2) == 0 {
		version, versionErr = 1, kv.ErrReadVersionAlreadySet
	}
	all := []misuse[func(*kv.Transaction)]{
		{"Set of a bad key", keyErr, func(tx *kv.Transaction) { tx.Set(badKey, value) }},
		{"Set of a long value", kv.ErrValueTooLarge, func(tx *kv.Transaction) { tx.Set(key, k.badValue()) }},
		{"Set of a bad key and a long value", keyErr, func(tx *kv.Transaction) { tx.Set(badKey, k.badValue()) }},
		{"Clear of a bad key", keyErr, func(tx *kv.Transaction) { tx.Clear(badKey) }},
		{"ClearRange of a bad range", rangeErr, func(tx *kv.Transaction) { tx.ClearRange(badRange) }},
		{"an atomic operation on a bad key", keyErr, func(tx *kv.Transaction) { tx.Atomic(op, badKey, value) }},
		{"an atomic operation with a long operand", kv.ErrValueTooLarge, func(tx *kv.Transaction) { tx.Atomic(op, key, k.badValue()) }},
		{"an operation that is not atomic", kv.ErrInvalidMutationType, func(tx *kv.Transaction) { tx.Atomic(notAtomic, key, value) }},
		{"a versionstamped key without place", kv.ErrClientInvalidOperation, func(tx *kv.Transaction) { tx.SetVersionstampedKey(badParam, value) }},
		{"a versionstamped value without place", kv.ErrClientInvalidOperation, func(tx *kv.Transaction) { tx.SetVersionstampedValue(key, badParam) }},
		{"a versionstamped key that is too long", kv.ErrKeyTooLarge, func(tx *kv.Transaction) { tx.SetVersionstampedKey(longParam(), value) }},
		{"a versionstamped value that is too long", kv.ErrValueTooLarge, func(tx *kv.Transaction) { tx.SetVersionstampedValue(key, longParam()) }},
		{"a versionstamped value of a bad key", keyErr, func(tx *kv.Transaction) { tx.SetVersionstampedValue(badKey, k.stampedParam("", 0)) }},
		{"AddReadConflictRange of a bad range", rangeErr, func(tx *kv.Transaction) { tx.AddReadConflictRange(badRange) }},
		{"AddWriteConflictRange of a bad range", rangeErr, func(tx *kv.Transaction) { tx.AddWriteConflictRange(badRange) }},
		{"AddReadConflictKey of a bad key", keyErr, func(tx *kv.Transaction) { tx.AddReadConflictKey(badKey) }},
		{"AddWriteConflictKey of a bad key", keyErr, func(tx *kv.Transaction) { tx.AddWriteConflictKey(badKey) }},
		{"SetReadVersion", versionErr, func(tx *kv.Transaction) { tx.SetReadVersion(version) }},
		{"a write beyond the size limit", kv.ErrTransactionTooLarge, func(tx *kv.Transaction) {
			tx.SetOptions(kv.WithSizeLimit(32))
			tx.Set(key, make([]byte, 32))
		}},
	}
	return all[k.rng.IntN(len(all))]
}

// invalidRead draws a read that fails, but does not spoil its transaction.
func (k apiKeys) invalidRead() misuse[func(kv.Reader) error] {
	key, span, beyond := []byte(k.key()), k.span().KeyRange(), k.beyond()
	badKey, keyErr := k.badKey()
	good, options, badOptions := k.selector(reach), k.limits(), k.limits()
	beyondSelector := kv.KeySelector{Key: beyond, OrEqual: k.rng.IntN(2) == 0, Offset: k.rng.IntN(3) - 1}
	if k.rng.IntN(2) == 0 {
		badOptions.Limit = -1 - k.rng.IntN(10)
	} else {
		badOptions.LimitBytes = -1 - k.rng.IntN(10)
	}
	slice := func(result *kv.RangeResult) error {
		if k.rng.IntN(2) == 0 {
			_, err := k.take(result, -1)
			return err
		}
		_, err := result.Slice()
		return err
	}
	all := []misuse[func(kv.Reader) error]{
		{"Get of a bad key", keyErr, func(r kv.Reader) error { _, err := r.Get(badKey).Wait(); return err }},
		{"GetKey from beyond the keys", kv.ErrKeyOutsideLegalRange, func(r kv.Reader) error { _, err := r.GetKey(beyondSelector).Wait(); return err }},
		{"an inverted Range", kv.ErrInvertedRange, func(r kv.Reader) error { return slice(r.Range(k.inverted(), options)) }},
		{"a Range to beyond the keys", kv.ErrKeyOutsideLegalRange, func(r kv.Reader) error { return slice(r.Range(kv.KeyRange{Begin: key, End: beyond}, options)) }},
		{"a Range with negative limits", kv.ErrRangeLimitsInvalid, func(r kv.Reader) error { return slice(r.Range(span, badOptions)) }},
		{"RangeSelectors from beyond the keys", kv.ErrKeyOutsideLegalRange, func(r kv.Reader) error { return slice(r.RangeSelectors(beyondSelector, good, options)) }},
		{"RangeSelectors to beyond the keys", kv.ErrKeyOutsideLegalRange, func(r kv.Reader) error { return slice(r.RangeSelectors(good, beyondSelector, options)) }},
		{"RangeSelectors with negative limits", kv.ErrRangeLimitsInvalid, func(r kv.Reader) error { return slice(r.RangeSelectors(good, good, badOptions)) }},
	}
	return all[k.rng.IntN(len(all))]
}

// invalidOption draws an option with a value that it cannot have.
func (k apiKeys) invalidOption() kv.TransactionOption {
	all := [...]kv.TransactionOption{
		kv.WithTimeout(-time.Second),
		kv.WithMaxRetryDelay(-1),
		kv.WithSizeLimit(31 - k.rng.IntN(40)),
		kv.WithSizeLimit(kv.MaxTransactionBytes + 1 + k.rng.IntN(100)),
		kv.WithPriority(kv.PriorityImmediate + 1 + kv.Priority(k.rng.IntN(3))),
	}
	return all[k.rng.IntN(len(all))]
}

// extremes returns mutations with arguments as long as they may be, which
// leave nothing behind.
func (k apiKeys) extremes() []wire.Mutation {
	longest := append([]byte(k.prefix), bytes.Repeat([]byte("b"), kv.MaxKeyBytes-len(k.prefix))...)
	value := make([]byte, k.rng.IntN(2)*kv.MaxValueBytes)
	return []wire.Mutation{
		{Type: wire.SetValue, Param1: longest, Param2: value},
		{Type: kv.MutationByteMax, Param1: longest, Param2: make([]byte, kv.MaxValueBytes)},
		{Type: wire.ClearRange, Param1: []byte(k.key())[:len(k.prefix)], Param2: longest},
		{Type: wire.ClearRange, Param1: longest, Param2: kv.KeyAfter(longest)},
		{Type: wire.ClearRange, Param1: longest, Param2: longest},
	}
}
