package resolver

import (
	"fmt"
	"strings"
	"testing"

	"github.com/cockroachdb/datadriven"

	"github.com/plinthdb/plinth/internal/wire"
)

// TestConflictSetFollowsItsTranscripts runs the transcripts in testdata:
//
//	new floor=V [segments=small]
//	decide version=V
//	READVERSION [report] [r KEY|BEGIN..END]... [w KEY|BEGIN..END]...
//	stats
func TestConflictSetFollowsItsTranscripts(t *testing.T) {
	datadriven.Walk(t, "testdata", func(t *testing.T, path string) {
		var s *ConflictSet
		datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string {
			switch d.Cmd {
			case "new":
				var floor int64
				d.ScanArgs(t, "floor", &floor)
				s = NewConflictSet(wire.Version(floor), 0)
				if d.HasArg("segments") {
					small := smallTuning(8, 0)
					// Each segment takes one chunk of keys, and six fit.
					small.segmentBytes, small.limitBytes = chunkBytes/2, 6*chunkBytes
					s = newConflictSet(wire.Version(floor), small)
				}
				return ""
			case "decide":
				return transcribe(t, d, s)
			case "stats":
				st := s.Stats()
				return fmt.Sprintf("floor %d, newest %d, entries %d, segments %d, early raises of the floor %d\n",
					st.Floor, st.Newest, st.Entries, st.Segments, st.FloorRaises)
			}
			d.Fatalf(t, "unknown command %q", d.Cmd)
			return ""
		})
	})
}

func transcribe(t *testing.T, d *datadriven.TestData, s *ConflictSet) string {
	var version int64
	d.ScanArgs(t, "version", &version)
	lines := strings.Split(strings.TrimSpace(d.Input), "\n")
	batch := make([]wire.ResolveTransaction, len(lines))
	for i, line := range lines {
		batch[i] = parseTransaction(t, d, strings.Fields(line))
	}
	verdicts, conflicting := s.Decide(wire.Version(version), batch)
	var out strings.Builder
	for i, line := range lines {
		fmt.Fprintf(&out, "%-40s  %s", line, [...]string{"committed", "conflict", "too old"}[verdicts[i]])
		if conflicting != nil && conflicting[i] != nil {
			fmt.Fprintf(&out, " in reads %v", conflicting[i])
		}
		out.WriteByte('\n')
	}
	return out.String()
}

func parseTransaction(t *testing.T, d *datadriven.TestData, words []string) (tx wire.ResolveTransaction) {
	var read int64
	if _, err := fmt.Sscan(words[0], &read); err != nil {
		d.Fatalf(t, "read version %q: %v", words[0], err)
	}
	tx.ReadVersion = wire.Version(read)
	var into *[]wire.KeyRange
	for _, word := range words[1:] {
		switch word {
		case "report":
			tx.ReportConflicts = true
		case "r":
			into = &tx.ReadConflicts
		case "w":
			into = &tx.WriteConflicts
		default:
			keys := wire.SingleKey([]byte(word))
			if begin, end, isRange := strings.Cut(word, ".."); isRange {
				keys = wire.KeyRange{Begin: []byte(begin), End: []byte(end)}
			}
			*into = append(*into, keys)
		}
	}
	return tx
}
