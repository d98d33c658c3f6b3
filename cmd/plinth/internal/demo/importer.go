package demo

import (
	"context"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"
)

const (
	// batchBytes and batchFiles end the batch of one transaction.
	batchBytes = 1 << 20
	batchFiles = 200
	// importers is how many transactions are prepared and committed at once.
	importers = 8
)

// Manifest says what was imported, by path: what the demo knows without asking
// the store.
type Manifest map[string]Record

// Imported says what an import did.
type Imported struct {
	Files        int           `json:"files"`
	Bytes        int64         `json:"bytes"` // of content
	Rows         int64         `json:"rows"`  // without the totals
	FoundFiles   int           `json:"found_files"`
	FoundBytes   int64         `json:"found_bytes"`
	TooLarge     int           `json:"too_large"`
	Transactions int           `json:"transactions"`
	Took         time.Duration `json:"took_nanos"`
}

// Import puts the files of the source into the archive, several transactions
// at a time. progress is called by several goroutines with the rows and the bytes
// of content that each transaction committed.
func (a Archive) Import(ctx context.Context, source Source, progress func(rows, bytes int64)) (Manifest, Imported, error) {
	began := time.Now()
	done := Imported{FoundFiles: source.FoundFiles, FoundBytes: source.FoundBytes, TooLarge: source.TooLarge}
	manifest := Manifest{}
	var mu sync.Mutex
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(importers)
	for rest := source.Entries; len(rest) > 0 && ctx.Err() == nil; {
		batch := nextBatch(rest)
		rest = rest[len(batch):]
		group.Go(func() error {
			files, records, err := a.importBatch(ctx, &source, batch)
			if err != nil {
				return err
			}
			rows, bytes := int64(0), int64(0)
			mu.Lock()
			defer mu.Unlock()
			for i, f := range files {
				manifest[f.Path] = records[i]
				bytes += records[i].Bytes
				rows += records[i].rows()
			}
			done.Files += len(files)
			done.Bytes += bytes
			done.Rows += rows
			done.Transactions++
			progress(rows, bytes)
			return nil
		})
	}
	err := group.Wait()
	done.Took = time.Since(began)
	return manifest, done, err
}

// nextBatch returns the files for the next transaction, at least one.
func nextBatch(entries []Entry) []Entry {
	bytes := int64(0)
	for i, e := range entries {
		bytes += e.Bytes
		if i > 0 && bytes > batchBytes || i == batchFiles {
			return entries[:i]
		}
	}
	return entries
}

func (a Archive) importBatch(ctx context.Context, source *Source, batch []Entry) ([]File, []Record, error) {
	files := make([]File, 0, len(batch))
	for _, e := range batch {
		content, err := source.read(e)
		if err != nil {
			return nil, nil, err
		}
		files = append(files, File{Path: e.Path, Content: content})
	}
	records, err := a.Put(ctx, files)
	return files, records, err
}
