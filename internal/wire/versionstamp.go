package wire

import "encoding/binary"

// StampBytes is the length of the stamp that the commit proxy fills in: eight
// bytes of commit version and two of the transaction's place in its batch,
// both big-endian, so that stamps sort in commit order.
const StampBytes = 10

// Stamp is what identifies one committed transaction.
type Stamp [StampBytes]byte

// MakeStamp returns the stamp of the transaction at place index of the batch
// that committed at version.
func MakeStamp(version Version, index uint16) (s Stamp) {
	binary.BigEndian.PutUint64(s[:8], uint64(version))
	binary.BigEndian.PutUint16(s[8:], index)
	return s
}

// SplitStampOffset splits the parameter of a versionstamped mutation into its
// content and the place where the stamp goes: the parameter's last four bytes
// are that offset, little-endian. ok is false if the stamp does not fit.
func SplitStampOffset(param []byte) (content []byte, offset int, ok bool) {
	if len(param) < 4+StampBytes {
		return nil, 0, false
	}
	content = param[:len(param)-4]
	at := binary.LittleEndian.Uint32(param[len(param)-4:])
	if uint64(at) > uint64(len(content)-StampBytes) {
		return nil, 0, false
	}
	return content, int(at), true
}
