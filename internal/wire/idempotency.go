package wire

import (
	"bytes"
	"encoding/binary"
	"fmt"
)

// Sizes of an idempotency id, FoundationDB's.
const (
	// MinIdempotencyIDBytes is the shortest id, and the length of those that the
	// client draws.
	MinIdempotencyIDBytes = 16
	// MaxIdempotencyIDBytes is the longest id.
	MaxIdempotencyIDBytes = 255
)

// Where idempotency ids are. Of these keys only the commit proxy writes any.
const (
	// IdempotencyRowPrefix begins the rows that hold the ids of committed
	// transactions, FoundationDB's prefix for them. The stamp of the first
	// transaction in the row follows.
	IdempotencyRowPrefix = "\xff\x02/idmp/"
	// IdempotencyIDPrefix and an id are the key that the transactions with that
	// id read and write, as far as conflicts go. Nothing is stored there.
	IdempotencyIDPrefix = "\xff\x02/idmpId/"
	// IdempotencyExpiredKey holds the version, big-endian, below which ids have
	// been cleared; absent as long as none was.
	IdempotencyExpiredKey = "\xff\x02/idmpExpiredVersion"
)

const (
	// IdempotencyRetention is how many versions the ids of a generation are
	// kept within it: a minute, far longer than a client takes to learn that an
	// outcome is unknown and to look.
	IdempotencyRetention Version = 60 * VersionsPerSecond
	// IdempotencyGenerations is how many generations' last ids are kept beside
	// those of the present one, at most: a client may live through several
	// recoveries, and a store that is opened for one commit at a time must not
	// gather ids for ever.
	IdempotencyGenerations = 8
)

// IdempotencyConflict returns the range that transactions with this id read and
// write, as far as conflicts go.
func IdempotencyConflict(id []byte) KeyRange {
	key := make([]byte, 0, len(IdempotencyIDPrefix)+len(id)+1)
	key = append(append(key, IdempotencyIDPrefix...), id...)
	return KeyRange{Begin: key[:len(key):len(key)], End: append(key, 0)}
}

// IsIdempotencyConflict reports whether r is IdempotencyConflict(id).
func IsIdempotencyConflict(r KeyRange, id []byte) bool {
	rest, found := bytes.CutPrefix(r.Begin, []byte(IdempotencyIDPrefix))
	return found && bytes.Equal(rest, id) && r.IsSingleKey()
}

// IdempotencyRowKey returns the key of a row whose first transaction has this
// stamp.
func IdempotencyRowKey(first Stamp) []byte {
	return append([]byte(IdempotencyRowPrefix), first[:]...)
}

// IdempotencyRowVersion returns the version of the row with this key; ok is
// false if it is no such row's key.
func IdempotencyRowVersion(key []byte) (version Version, ok bool) {
	rest, found := bytes.CutPrefix(key, []byte(IdempotencyRowPrefix))
	if !found || len(rest) != StampBytes {
		return 0, false
	}
	return Version(binary.BigEndian.Uint64(rest)), true
}

// IdempotencyRows returns the range of the rows with versions from first
// through last.
func IdempotencyRows(first, last Version) KeyRange {
	return KeyRange{Begin: idempotencyBound(first), End: idempotencyBound(last + 1)}
}

// idempotencyBound is below the rows of version and above those before it.
func idempotencyBound(version Version) []byte {
	return binary.BigEndian.AppendUint64([]byte(IdempotencyRowPrefix), uint64(version))
}

// EncodeIdempotencyVersion returns the value that IdempotencyExpiredKey has for
// version: eight bytes, which sort as versions do.
func EncodeIdempotencyVersion(version Version) []byte {
	return binary.BigEndian.AppendUint64(nil, uint64(version))
}

// DecodeIdempotencyVersion is the inverse of EncodeIdempotencyVersion; of nil,
// the value of an absent key, it returns 0.
func DecodeIdempotencyVersion(value []byte) (Version, error) {
	switch len(value) {
	case 0:
		return 0, nil
	case 8:
		return Version(binary.BigEndian.Uint64(value)), nil
	}
	return 0, ErrFileCorrupt.With("key %q holds %d bytes instead of a version's 8", IdempotencyExpiredKey, len(value))
}

// idempotencyFormat is the first byte of a row's value. The entries follow: a
// byte of length, the id, two bytes of the transaction's place in the batch,
// big-endian.
const idempotencyFormat = 1

// IdempotencyEntryBytes is what an id takes in a row beside its own bytes.
const IdempotencyEntryBytes = 1 + 2

// AppendIdempotencyID appends the id of the transaction at place index of its
// batch to the value of a row, nil for a new one. The id has at most
// MaxIdempotencyIDBytes.
func AppendIdempotencyID(value, id []byte, index uint16) []byte {
	if len(value) == 0 {
		value = append(value, idempotencyFormat)
	}
	value = append(value, byte(len(id)))
	value = append(value, id...)
	return binary.BigEndian.AppendUint16(value, index)
}

// FindIdempotencyID looks for id in the value of a row. It returns the place of
// the transaction in its batch, ErrFileCorrupt for a value that is cut short
// and ErrNewerFormat for one in a format that it does not know.
func FindIdempotencyID(value, id []byte) (index uint16, found bool, err error) {
	if len(value) == 0 {
		return 0, false, corruptIDs("it is empty")
	}
	if value[0] != idempotencyFormat {
		return 0, false, ErrNewerFormat.With("idempotency ids are stored in format %d, this program knows format %d", value[0], idempotencyFormat)
	}
	for rest := value[1:]; len(rest) > 0; {
		n := int(rest[0])
		if len(rest) < IdempotencyEntryBytes+n {
			return 0, false, corruptIDs(fmt.Sprintf("its last entry needs %d bytes, %d are there", IdempotencyEntryBytes+n, len(rest)))
		}
		if bytes.Equal(rest[1:1+n], id) {
			return binary.BigEndian.Uint16(rest[1+n:]), true, nil
		}
		rest = rest[IdempotencyEntryBytes+n:]
	}
	return 0, false, nil
}

func corruptIDs(what string) error {
	return ErrFileCorrupt.With("a row of idempotency ids is damaged: %s", what)
}

// validateIdempotency checks that a request with an id also has the conflict
// ranges that keep it from being committed twice: the last of each kind.
func (r *CommitRequest) validateIdempotency() error {
	id, reads, writes := r.IdempotencyID, r.ReadConflicts, r.WriteConflicts
	switch n := len(id); {
	case n == 0:
		return nil
	case n < MinIdempotencyIDBytes || n > MaxIdempotencyIDBytes:
		return ErrInvalidOptionValue.With("idempotency id of %d bytes, not between %d and %d", n, MinIdempotencyIDBytes, MaxIdempotencyIDBytes)
	case len(reads) == 0 || !IsIdempotencyConflict(reads[len(reads)-1], id),
		len(writes) == 0 || !IsIdempotencyConflict(writes[len(writes)-1], id):
		return ErrClientInvalidOperation.With("transaction with an idempotency id lacks the conflict ranges of the id")
	}
	return nil
}

// idempotencyBytes is the size of the id's conflict ranges, which do not count
// against the limits of a transaction.
func (r *CommitRequest) idempotencyBytes() int {
	if len(r.IdempotencyID) == 0 {
		return 0
	}
	return 2 * (2*(len(IdempotencyIDPrefix)+len(r.IdempotencyID)) + 1)
}
