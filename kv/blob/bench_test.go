package blob_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"testing"

	"github.com/plinthdb/plinth/kv/blob"
	"github.com/plinthdb/plinth/kv/embedded"
	"github.com/plinthdb/plinth/kv/subspace"
)

// BenchmarkChunkSizes is what the default size of a chunk rests on: a blob of
// 32 MB on the disk is read through, read at random places, and uploaded.
func BenchmarkChunkSizes(b *testing.B) {
	ctx := context.Background()
	data := bytes.Repeat([]byte("0123456789abcde\n"), 2<<20)
	for _, size := range []int{1_000, 4_000, 10_000, 30_000, 100_000} {
		db, store, err := embedded.Open(b.TempDir())
		must(b, err)
		files, err := blob.NewWithOptions(subspace.Sub("files"), blob.Options{ChunkBytes: size})
		must(b, err)
		put := func() {
			_, err := files.Put(ctx, db, "a", bytes.NewReader(data))
			must(b, err)
		}
		put()
		b.Run(fmt.Sprintf("read/%d", size), func(b *testing.B) {
			r, err := files.Open(ctx, db, "a")
			must(b, err)
			b.SetBytes(int64(len(data)))
			for b.Loop() {
				_, err := r.Seek(0, io.SeekStart)
				must(b, err)
				_, err = io.Copy(io.Discard, r)
				must(b, err)
			}
		})
		b.Run(fmt.Sprintf("at/%d", size), func(b *testing.B) {
			r, err := files.Open(ctx, db, "a")
			must(b, err)
			p, place := make([]byte, 1000), int64(0)
			for b.Loop() {
				place = (place*7 + 1_000_003) % (r.Size() - 1000)
				_, err := r.ReadAt(p, place)
				must(b, err)
			}
		})
		b.Run(fmt.Sprintf("put/%d", size), func(b *testing.B) {
			b.SetBytes(int64(len(data)))
			for b.Loop() {
				put()
			}
		})
		must(b, store.Close())
	}
}
