package wire

import "bytes"

// MaxKey bounds the keys that can be written: every key of users and of the
// system is below it.
const MaxKey = "\xff\xff"

// stampedKeyExtra is what a versionstamped key or value may be longer than a
// plain one: the four bytes that say where the stamp goes.
const stampedKeyExtra = 4

// Validate checks what every role behind the commit proxy relies on: whole and
// known mutations, legal keys, sizes within the limits. The client checks the
// same earlier and says it more closely; here it keeps one broken client from
// ending the store for all.
//
// It returns ErrTransactionTooLarge, ErrKeyTooLarge, ErrValueTooLarge,
// ErrKeyOutsideLegalRange, ErrInvertedRange, ErrInvalidOptionValue or
// ErrClientInvalidOperation.
func (r *CommitRequest) Validate() error {
	if err := r.validateIdempotency(); err != nil {
		return err
	}
	if size := r.Bytes(); size > MaxTransactionBytes {
		return ErrTransactionTooLarge.With("transaction of %d bytes is larger than the limit of %d", size, MaxTransactionBytes)
	}
	list := ReadMutations(r.Mutations)
	for {
		m, ok, err := list.Next()
		if err != nil {
			return ErrClientInvalidOperation.Because(err)
		}
		if !ok {
			return nil
		}
		if m.Type.IsVersionstamped() && !r.HasVersionstamps {
			return ErrClientInvalidOperation.With("versionstamped mutation in a transaction that says it has none")
		}
		if err := m.validate(); err != nil {
			return err
		}
		if m.writesSystemKeys() && !r.HasSystemKeys {
			return ErrClientInvalidOperation.With("mutation of system keys in a transaction that says it has none")
		}
	}
}

// writesSystemKeys reports whether m writes a key of the system.
func (m Mutation) writesSystemKeys() bool {
	if m.Type == ClearRange {
		return string(m.Param2) > SystemPrefix && bytes.Compare(m.Param1, m.Param2) < 0
	}
	return string(m.Param1) >= SystemPrefix
}

func (m Mutation) validate() error {
	maxKey, maxValue := MaxKeyBytes, MaxValueBytes
	switch m.Type {
	case ClearRange:
		// The end may be the first key after one of the longest.
		if len(m.Param1) > MaxKeyBytes+1 || len(m.Param2) > MaxKeyBytes+1 {
			return ErrKeyTooLarge.With("range of keys of %d and %d bytes, the limit is %d", len(m.Param1), len(m.Param2), MaxKeyBytes)
		}
		if bytes.Compare(m.Param1, m.Param2) > 0 {
			return ErrInvertedRange.With("range begins at %.40q, after its end %.40q", m.Param1, m.Param2)
		}
		if string(m.Param2) > MaxKey {
			return ErrKeyOutsideLegalRange.With("range ends at %.40q, above all keys", m.Param2)
		}
		return nil
	case SetVersionstampedKey:
		maxKey += stampedKeyExtra
		if _, _, ok := SplitStampOffset(m.Param1); !ok {
			return ErrClientInvalidOperation.With("versionstamped key of %d bytes has no room for its stamp", len(m.Param1))
		}
	case SetVersionstampedValue:
		maxValue += stampedKeyExtra
		if _, _, ok := SplitStampOffset(m.Param2); !ok {
			return ErrClientInvalidOperation.With("versionstamped value of %d bytes has no room for its stamp", len(m.Param2))
		}
	}
	switch {
	case len(m.Param1) > maxKey:
		return ErrKeyTooLarge.With("key of %d bytes is longer than the limit of %d", len(m.Param1), MaxKeyBytes)
	case len(m.Param2) > maxValue:
		return ErrValueTooLarge.With("value of %d bytes is longer than the limit of %d", len(m.Param2), MaxValueBytes)
	case string(m.Param1) >= MaxKey:
		return ErrKeyOutsideLegalRange.With("key %.40q is above all keys", m.Param1)
	case m.Type == SetVersionstampedKey && bytes.HasPrefix(m.Param1, []byte(MaxKey[:1])):
		return ErrKeyOutsideLegalRange.With("versionstamped key %.40q is in the system's key space", m.Param1)
	}
	return nil
}
