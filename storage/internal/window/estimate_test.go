package window

import (
	"bytes"
	"fmt"
	"testing"

	"pgregory.net/rapid"
)

func TestEstimateOfAFewKeysIsExact(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w, rows := New(0), map[string]string{}
		for range rapid.IntRange(0, 50).Draw(t, "writes") {
			key := keys.Draw(t, "key")
			if rapid.Bool().Draw(t, "clear") {
				w.Clear(key, 1)
				delete(rows, string(key))
				continue
			}
			value := rapid.SliceOfN(rapid.Byte(), 0, 5).Draw(t, "value")
			w.Set(key, value, 1)
			rows[string(key)] = string(value)
		}
		begin, end := drawRange(t)
		want := 0
		for key, value := range rows {
			if bytes.Compare(begin, []byte(key)) <= 0 && bytes.Compare([]byte(key), end) < 0 {
				want += len(key) + len(value)
			}
		}
		if got := w.EstimateBytes(begin, end); got != int64(want) {
			t.Fatalf("estimate of %q to %q is %d, want %d", begin, end, got, want)
		}
	})
}

func TestEstimateOfManyKeysIsAboutRight(t *testing.T) {
	w := New(0)
	const rows, rowBytes = 50_000, 100
	for i := range rows {
		key := fmt.Appendf(nil, "%05d", i)
		w.Set(key, make([]byte, rowBytes-len(key)), 1)
	}
	for _, tenths := range []int{0, 1, 5, 9, 10} {
		got := w.EstimateBytes(nil, fmt.Appendf(nil, "%05d", tenths*rows/10))
		// A tenth is more than six standard deviations of the sample.
		if want := int64(tenths * rows * rowBytes / 10); got < want-rows*rowBytes/10 || got > want+rows*rowBytes/10 {
			t.Errorf("estimate of %d tenths is %d, want about %d", tenths, got, want)
		}
	}
}
