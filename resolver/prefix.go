package resolver

import (
	"bytes"
	"encoding/binary"
)

// shortener makes order-preserving numbers of keys, so that most comparisons
// are of numbers. Keys of one store mostly begin alike, and their first eight
// bytes would tell little: so it takes the bytes behind the beginning that
// most keys have in common.
type shortener struct {
	common []byte
}

// maxCommonBytes bounds what is compared to shorten a key.
const maxCommonBytes = 256

// The classes of keys, in their order, in the upper two bits of a short key.
const (
	belowCommon uint64 = iota << 62
	withCommon
	aboveCommon
)

// short returns a number that orders as key does among other keys. Of keys
// with equal numbers it says nothing.
func (c *shortener) short(key []byte) uint64 {
	switch {
	case bytes.HasPrefix(key, c.common):
		return withCommon | firstBytes(key[len(c.common):])>>2
	case bytes.Compare(key, c.common) < 0:
		return belowCommon | firstBytes(key)>>2
	}
	return aboveCommon | firstBytes(key)>>2
}

// firstBytes returns the first eight bytes of key, big-endian, zeros behind a
// shorter one.
func firstBytes(key []byte) uint64 {
	if len(key) >= 8 {
		return binary.BigEndian.Uint64(key)
	}
	var p uint64
	for i, b := range key {
		p |= uint64(b) << (56 - 8*i)
	}
	return p
}

// learn returns a shortener that suits keys like these: what the keys at one
// and three quarters of the list begin with, at least half of all begin with.
// If that is nothing new, it returns c itself.
func (c *shortener) learn(steps []step, keys *arena) *shortener {
	if len(steps) == 0 {
		return c
	}
	low, high := keys.key(steps[len(steps)/4].key), keys.key(steps[len(steps)*3/4].key)
	n := 0
	for n < len(low) && n < len(high) && n < maxCommonBytes && low[n] == high[n] {
		n++
	}
	if bytes.Equal(low[:n], c.common) {
		return c
	}
	return &shortener{common: bytes.Clone(low[:n])}
}

// probe is a key that is being looked for, with what is computed from it once.
type probe struct {
	key       []byte
	short     uint64
	shortener *shortener // that made short
}

// use makes p comparable with keys that c shortened.
func (p *probe) use(c *shortener) {
	if p.shortener != c {
		p.short, p.shortener = c.short(p.key), c
	}
}

// compare orders p against the step s, whose key lies in a.
func (p *probe) compare(s *step, a *arena) int {
	switch {
	case p.short < s.short:
		return -1
	case p.short > s.short:
		return 1
	}
	return bytes.Compare(p.key, a.key(s.key))
}
