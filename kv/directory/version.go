package directory

import (
	"encoding/binary"
	"fmt"

	"github.com/plinthdb/plinth/kv"
	"github.com/plinthdb/plinth/kv/tuple"
)

// The version of the format, FoundationDB's.
const (
	majorVersion = 1
	minorVersion = 0
	microVersion = 0
)

// versionBytes is the length of a stored version.
const versionBytes = 12

// access is what an operation does to a tree.
type access bool

const (
	readAccess  access = false
	writeAccess access = true
)

func (l *Layer) versionKey() []byte { return l.root.Pack(tuple.Tuple{[]byte("version")}) }

// encodedVersion is the value of the version key.
func encodedVersion() []byte {
	b := make([]byte, 0, versionBytes)
	for _, n := range [...]uint32{majorVersion, minorVersion, microVersion} {
		b = binary.LittleEndian.AppendUint32(b, n)
	}
	return b
}

// checkVersion returns why a tree with the stored version, nil if there is
// none, cannot be accessed (D10).
func (l *Layer) checkVersion(stored []byte, access access) error {
	if stored == nil {
		return nil
	}
	if len(stored) != versionBytes {
		return &MetadataError{Key: l.versionKey(), Err: fmt.Errorf("the version holds %d bytes, not %d", len(stored), versionBytes)}
	}
	var v [3]uint32
	for i := range v {
		v[i] = binary.LittleEndian.Uint32(stored[4*i:])
	}
	if v[0] > majorVersion || v[1] > minorVersion && access == writeAccess {
		return &VersionError{Stored: v, ReadOnly: v[0] <= majorVersion}
	}
	return nil
}

// beginWrite checks the version before a write, and sets it if the tree is new.
func (l *Layer) beginWrite(tx *kv.Transaction) error {
	stored, err := tx.Get(l.versionKey()).Wait()
	if err != nil {
		return err
	}
	return l.settleVersion(tx, stored)
}

// settleVersion is beginWrite when the stored version is known.
func (l *Layer) settleVersion(tx *kv.Transaction, stored []byte) error {
	if stored == nil {
		tx.Set(l.versionKey(), encodedVersion())
		return nil
	}
	return l.checkVersion(stored, writeAccess)
}
