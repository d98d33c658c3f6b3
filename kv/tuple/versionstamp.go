package tuple

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"

	"github.com/plinthdb/plinth/internal/wire"
)

// Versionstamp names a place in the order of all commits: the ten bytes that
// the database gives to a transaction when it commits (version, then place in
// its batch, both big-endian), followed by the user's own order within the
// transaction.
type Versionstamp struct {
	TransactionVersion [wire.StampBytes]byte
	UserVersion        uint16
}

// stampOffsetBytes is the length of the offset that follows the parameter of a
// versionstamped operation.
const stampOffsetBytes = 4

// incompleteVersion stands where the database fills in the transaction's
// version.
var incompleteVersion = [wire.StampBytes]byte{0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff}

// IncompleteVersionstamp returns a Versionstamp whose transaction version is
// not known yet. A tuple with exactly one is packed by PackWithVersionstamp
// for a versionstamped operation. It sorts after all complete ones.
func IncompleteVersionstamp(userVersion uint16) Versionstamp {
	return Versionstamp{TransactionVersion: incompleteVersion, UserVersion: userVersion}
}

// IsIncomplete reports whether the transaction version is still to be filled
// in.
func (v Versionstamp) IsIncomplete() bool { return v.TransactionVersion == incompleteVersion }

// Bytes returns the twelve bytes of the stamp, big-endian.
func (v Versionstamp) Bytes() []byte {
	b := make([]byte, 0, wire.StampBytes+2)
	b = append(b, v.TransactionVersion[:]...)
	return binary.BigEndian.AppendUint16(b, v.UserVersion)
}

// HasIncompleteVersionstamp reports whether the tuple, or one nested in it,
// holds an incomplete Versionstamp.
func (t Tuple) HasIncompleteVersionstamp() bool {
	for _, e := range t {
		switch v := e.(type) {
		case Versionstamp:
			if v.IsIncomplete() {
				return true
			}
		case Tuple:
			if v.HasIncompleteVersionstamp() {
				return true
			}
		}
	}
	return false
}

// PackWithVersionstamp returns the parameter of a versionstamped operation:
// prefix, the tuple's encoding, and the place of its incomplete Versionstamp
// in four bytes, little-endian. The tuple must hold exactly one such stamp,
// else the error wraps ErrIncompleteCount; other errors are *EncodeError.
func (t Tuple) PackWithVersionstamp(prefix []byte) ([]byte, error) {
	var places stampPlaces
	out := make([]byte, 0, len(prefix)+t.EstimateBytes()+stampOffsetBytes)
	out, err := appendElements(append(out, prefix...), t, packing{stamps: &places})
	if err != nil {
		return nil, err
	}
	if places.count != 1 {
		return nil, fmt.Errorf("%w: it holds %d", ErrIncompleteCount, places.count)
	}
	if places.last > math.MaxUint32 {
		return nil, errors.New("tuple: the versionstamp's offset does not fit four bytes")
	}
	return binary.LittleEndian.AppendUint32(out, uint32(places.last)), nil
}
