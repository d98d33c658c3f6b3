package check

import (
	"testing"

	"github.com/plinthdb/plinth/tests/conformance/generate"
)

// TestPrefixesThatOverlapAreFound, and only among directories.
func TestPrefixesThatOverlapAreFound(t *testing.T) {
	allocator := generate.Allocator(1, 1, 1)
	good := Outcome{"\xfenode\x14\x02a\x00": "\x15\x01", "\xfenode\x14\x02b\x00": "\x15\x02", "other\x14\x02": "\x15\x01x"}
	if found := overlaps(allocator, good); found != "" {
		t.Errorf("none overlap, but: %s", found)
	}
	for _, prefix := range []string{"\x15\x02", "\x15\x02x", "\x15"} {
		bad := Outcome{"\xfenode\x14\x02c\x00": prefix}
		for key, value := range good {
			bad[key] = value
		}
		if overlaps(allocator, bad) == "" {
			t.Errorf("the prefix %q was not found", prefix)
		}
	}
}
