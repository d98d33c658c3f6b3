package wire

import (
	"bytes"
	"errors"
	"testing"
	"time"
)

func TestLimitsOnTagsReadBack(t *testing.T) {
	seen := map[string]bool{}
	for _, want := range []TagThrottle{
		{},
		{Tag: "0123456789abcdef", Priority: PriorityBatch, StartsPerSecond: 0.25},
		{Tag: "a", Priority: PriorityDefault, StartsPerSecond: 1e9, Until: time.UnixMilli(1_700_000_000_123)},
		{Tag: "a", Priority: PriorityImmediate, Until: time.UnixMilli(-5)},
	} {
		row := want.Row()
		if !TagThrottles().Contains(row.Key) || seen[string(row.Key)] {
			t.Errorf("%+v has the key %q", want, row.Key)
		}
		seen[string(row.Key)] = true
		if got, err := ParseTagThrottle(row); err != nil || got != want {
			t.Errorf("%+v reads back as %+v, %v", want, got, err)
		}
	}
}

// FuzzParseTagThrottle: what is accepted is what Row makes, anything else is
// refused by name.
func FuzzParseTagThrottle(f *testing.F) {
	good := TagThrottle{Tag: "tag", StartsPerSecond: 5, Until: time.UnixMilli(1)}.Row()
	f.Add(good.Key, good.Value)
	f.Add(good.Key[:len(good.Key)-1], good.Value)
	f.Add(good.Key, good.Value[:3])
	f.Add([]byte(TagThrottlePrefix+"\x00\x03\x00"), good.Value)
	f.Add(good.Key, []byte("\x01\x7f\xf0\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00"))
	f.Fuzz(func(t *testing.T, key, value []byte) {
		limit, err := ParseTagThrottle(KeyValue{Key: key, Value: value})
		if err != nil {
			if !errors.Is(err, ErrFileCorrupt) {
				t.Errorf("refused with %v", err)
			}
			return
		}
		row := limit.Row()
		if again, err := ParseTagThrottle(row); !bytes.Equal(row.Key, key) || err != nil || again != limit {
			t.Errorf("%q=%q is read as %+v, and what that makes as %+v, %v", key, value, limit, again, err)
		}
	})
}
