package embedded_test

import (
	"crypto/sha256"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/plinthdb/plinth/kv"
	"github.com/plinthdb/plinth/kv/embedded"
)

// BenchmarkReadAhead compares iterations that fetch the next piece while one is
// consumed with ones that do not, over 20,000 rows of 100 bytes: for a reader
// that only counts rows, and for one that hashes each. Both take turns on one
// store; an iteration is one scan each, and the median of the ratios of their
// times (ratio; above 1 reading ahead is faster) is what counts:
//
//	go test ./kv/embedded -run '^$' -bench ReadAhead -benchtime 200x
func BenchmarkReadAhead(b *testing.B) {
	const rows = 20_000
	db, store, err := embedded.Open(b.TempDir() + "/data")
	if err != nil {
		b.Fatal(err)
	}
	defer store.Close()
	for first := 0; first < rows; first += 1000 {
		_, err := kv.Transact(b.Context(), db, func(tx *kv.Transaction) (int, error) {
			for i := first; i < first+1000; i++ {
				tx.Set(fmt.Appendf(nil, "key-%012d", i), make([]byte, 100))
			}
			return 0, nil
		})
		if err != nil {
			b.Fatal(err)
		}
	}
	for name, consume := range map[string]func(kv.KeyValue){
		"counts": func(kv.KeyValue) {},
		"hashes": func(row kv.KeyValue) { sha256.Sum256(row.Value) },
	} {
		b.Run(name, func(b *testing.B) {
			scan := func(ahead bool) time.Duration {
				began, n := time.Now(), 0
				tx := db.Begin(b.Context(), kv.WithReadAhead(ahead))
				defer tx.Cancel()
				for row, err := range tx.Snapshot().Range(kv.AllKeys(), kv.RangeOptions{}).All() {
					if err != nil {
						b.Fatal(err)
					}
					consume(row)
					n++
				}
				if n != rows {
					b.Fatalf("%d rows", n)
				}
				return time.Since(began)
			}
			var ratios []float64
			for b.Loop() {
				var took [2]time.Duration
				for i := range 2 {
					mode := (i + len(ratios)) % 2 // each goes first as often as the other
					took[mode] = scan(mode == 1)
				}
				ratios = append(ratios, float64(took[0])/float64(took[1]))
			}
			slices.Sort(ratios)
			b.ReportMetric(ratios[len(ratios)/2], "ratio")
		})
	}
}
