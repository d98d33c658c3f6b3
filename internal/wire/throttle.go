package wire

import (
	"bytes"
	"encoding/binary"
	"math"
	"strings"
	"time"
)

// TagThrottlePrefix begins the rows that limit the starts of transactions with
// a tag, FoundationDB's place for them. The rest of the key is the kind of
// limit (manual, the only one), the priority in FoundationDB's order, the
// length of the tag, and the tag. The value is Plinth's own.
const TagThrottlePrefix = "\xff\x02/throttledTags/tag/"

const (
	// MaxTagBytes is the longest tag.
	MaxTagBytes = 16
	// MaxTagThrottles is how many limits on tags a store has at most,
	// FoundationDB's number for manual ones.
	MaxTagThrottles = 40
)

// TagThrottle limits the starts of the transactions with a tag.
type TagThrottle struct {
	Tag string
	// Priority is the highest that the limit holds for: lower ones are bound by
	// it as well.
	Priority Priority
	// StartsPerSecond is how many may start; 0 is none at all.
	StartsPerSecond float64
	// Until is when the limit ends, to the millisecond; the zero time is never.
	Until time.Time
}

const (
	manualThrottle      = 0
	tagThrottleFormat   = 1
	tagThrottleBytes    = 1 + 8 + 8
	tagThrottleKeyBytes = len(TagThrottlePrefix) + 3
)

// throttlePriorities is FoundationDB's order of priorities.
const throttlePriorities = "\x01\x00\x02"

// TagThrottles returns the range of all limits on tags.
func TagThrottles() KeyRange {
	end := []byte(TagThrottlePrefix)
	end[len(end)-1]++
	return KeyRange{Begin: []byte(TagThrottlePrefix), End: end}
}

// Row returns the limit as a row.
func (t TagThrottle) Row() KeyValue {
	key := make([]byte, 0, tagThrottleKeyBytes+len(t.Tag))
	key = append(append(key, TagThrottlePrefix...), manualThrottle, throttlePriorities[t.Priority], byte(len(t.Tag)))
	value := binary.BigEndian.AppendUint64([]byte{tagThrottleFormat}, math.Float64bits(t.StartsPerSecond))
	until := int64(math.MaxInt64)
	if !t.Until.IsZero() {
		until = t.Until.UnixMilli()
	}
	return KeyValue{Key: append(key, t.Tag...), Value: binary.BigEndian.AppendUint64(value, uint64(until))}
}

// ParseTagThrottle returns the limit of a row that Row has made. The error is
// ErrFileCorrupt and names the key.
func ParseTagThrottle(row KeyValue) (t TagThrottle, err error) {
	rest, found := bytes.CutPrefix(row.Key, []byte(TagThrottlePrefix))
	if !found || len(rest) < 3 || rest[0] != manualThrottle || int(rest[2]) != len(rest)-3 || rest[2] > MaxTagBytes {
		return t, ErrFileCorrupt.With("key %q is not that of a limit on a tag; clear it", row.Key)
	}
	priority := strings.IndexByte(throttlePriorities, rest[1])
	if priority < 0 || len(row.Value) != tagThrottleBytes || row.Value[0] != tagThrottleFormat {
		return t, ErrFileCorrupt.With("the limit on a tag at key %q cannot be read; clear it", row.Key)
	}
	t = TagThrottle{
		Tag: string(rest[3:]), Priority: Priority(priority),
		StartsPerSecond: math.Float64frombits(binary.BigEndian.Uint64(row.Value[1:])),
	}
	if until := int64(binary.BigEndian.Uint64(row.Value[9:])); until != math.MaxInt64 {
		t.Until = time.UnixMilli(until)
	}
	if !(t.StartsPerSecond >= 0) || math.IsInf(t.StartsPerSecond, 0) {
		return t, ErrFileCorrupt.With("the limit on a tag at key %q is of %v starts a second; clear it", row.Key, t.StartsPerSecond)
	}
	return t, nil
}
