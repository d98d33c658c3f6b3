package rowsum

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"hash"
)

// shownBytes is how much of the hash a Sum is written with: more than enough
// to tell states apart that nobody forged.
const shownBytes = 16

// Sum is what the rows added so far amount to. It is not safe for concurrent
// use.
type Sum struct {
	hash        hash.Hash
	frame       []byte
	rows, bytes int64
}

// New returns the sum of no rows.
func New() *Sum { return &Sum{hash: sha256.New()} }

// Add takes in the next row. Neither slice is kept.
func (s *Sum) Add(key, value []byte) {
	s.frame = binary.AppendUvarint(s.frame[:0], uint64(len(key)))
	s.frame = append(s.frame, key...)
	s.frame = binary.AppendUvarint(s.frame, uint64(len(value)))
	s.hash.Write(s.frame)
	s.hash.Write(value)
	s.rows++
	s.bytes += int64(len(key) + len(value))
}

// Rows is how many rows were added.
func (s *Sum) Rows() int64 { return s.rows }

// Bytes is how long their keys and values were.
func (s *Sum) Bytes() int64 { return s.bytes }

// String returns the sum in hexadecimal digits.
func (s *Sum) String() string { return hex.EncodeToString(s.hash.Sum(nil)[:shownBytes]) }
