package demo

import (
	"bytes"
	"crypto/sha256"
	"slices"
	"testing"

	"github.com/plinthdb/plinth/kv"
	"github.com/plinthdb/plinth/kv/tuple"
)

func TestAnImportedTreeCanBeQueriedAndReadBack(t *testing.T) {
	a, source, manifest := importTree(t, sampleTree(t))
	ctx := t.Context()
	if len(manifest) != 7 || len(source.Entries) != 7 {
		t.Fatalf("listed %d files, imported %d, want 7", len(source.Entries), len(manifest))
	}
	largest, err := a.Largest(ctx, 2)
	want := []Entry{{"net/http/server.go", 280_000}, {"net/url/one-chunk.go", 100_000}}
	if err != nil || !slices.Equal(largest, want) {
		t.Errorf("largest files are %v (%v), want %v", largest, err, want)
	}
	listed, counted, err := a.Package(ctx, "net/http")
	if err != nil || listed != (Tally{2, 280_700}) || counted != listed {
		t.Errorf("package net/http: listed %+v, counted %+v (%v)", listed, counted, err)
	}
	below, err := a.Below(ctx, "net/http/")
	if err != nil || below != (Tally{3, 280_714}) {
		t.Errorf("below net/http/: %+v (%v)", below, err)
	}
	content, record, err := a.Content(ctx, "net/http/server.go")
	if err != nil || !bytes.Equal(content, bytes.Repeat([]byte("server "), 40_000)) || record.Chunks != 3 {
		t.Errorf("server.go came back with %d bytes, record %+v (%v)", len(content), record, err)
	}
	if content, _, err := a.Content(ctx, "no/such.go"); content != nil || err != nil {
		t.Errorf("a file that is not there: %q, %v", content, err)
	}
	expectOK(t, checkPackage("net/http", listed, counted, manifest))
	expectFailure(t, checkPackage("net/http", Tally{1, 1}, counted, manifest), "the index of package net/http")
	expectFailure(t, checkPackage("net/http", listed, Tally{1, 1}, manifest), "the totals of package net/http")
}

func TestImportingAgainReplacesWhatChanged(t *testing.T) {
	dir := sampleTree(t)
	a, _, _ := importTree(t, dir)
	writeFile(t, dir, "net/http/server.go", []byte("shorter"))
	writeFile(t, dir, "net/url/one-chunk.go", bytes.Repeat([]byte{1}, kv.MaxValueBytes))
	source, err := ListSource(t.Context(), dir, 0)
	if err != nil {
		t.Fatal(err)
	}
	manifest, _, err := a.Import(t.Context(), source, func(int64, int64) {})
	if err != nil {
		t.Fatal(err)
	}
	c, err := a.CheckIndexes(t.Context())
	expectOK(t, must(t, c, err))
	c, err = a.CheckContents(t.Context(), manifest, func(int64, int64) {})
	expectOK(t, must(t, c, err))
	if _, counted, err := a.Package(t.Context(), "net/http"); err != nil || counted != (Tally{2, 707}) {
		t.Errorf("totals of net/http after a file shrank: %+v (%v)", counted, err)
	}
}

func TestSourceListsToolsLastAndStopsAtTheLimit(t *testing.T) {
	dir := sampleTree(t)
	all, err := ListSource(t.Context(), dir, 0)
	if err != nil || all.Entries[len(all.Entries)-1].Path != "cmd/tool/main.go" || all.Bytes != all.FoundBytes {
		t.Errorf("all files: %+v (%v)", all, err)
	}
	some, err := ListSource(t.Context(), dir, 1000)
	if err != nil || some.Bytes > 1000 || len(some.Entries) == 0 || some.FoundFiles != 7 || some.FoundBytes != all.FoundBytes {
		t.Errorf("files up to 1000 bytes: %+v (%v)", some, err)
	}
	writeFile(t, dir, "big.bin", make([]byte, MaxFileBytes+1))
	all, err = ListSource(t.Context(), dir, 0)
	if err != nil || all.TooLarge != 1 || len(all.Entries) != 7 {
		t.Errorf("with a file that is too large: %+v (%v)", all, err)
	}
	for _, bad := range []string{dir + "/nowhere", dir + "/go.mod"} {
		if _, err := ListSource(t.Context(), bad, 0); err == nil {
			t.Errorf("%s was listed", bad)
		}
	}
}

func TestBatchesAreBoundedAndCoverAllFiles(t *testing.T) {
	var entries []Entry
	for i := range 1000 {
		entries = append(entries, Entry{Path: string(rune(i)), Bytes: int64(i%7) * 100_000})
	}
	entries = append(entries, Entry{Bytes: MaxFileBytes}, Entry{Bytes: 1})
	count := 0
	for rest := entries; len(rest) > 0; {
		batch := nextBatch(rest)
		bytes := int64(0)
		for _, e := range batch {
			bytes += e.Bytes
		}
		if len(batch) == 0 || len(batch) > batchFiles || len(batch) > 1 && bytes > batchBytes {
			t.Fatalf("a batch of %d files, %d bytes", len(batch), bytes)
		}
		rest = rest[len(batch):]
		count += len(batch)
	}
	if count != len(entries) {
		t.Errorf("batches hold %d of %d files", count, len(entries))
	}
}

// Every way in which rows can be wrong is found and named.
func TestDoctoredFilesFailTheChecks(t *testing.T) {
	dir := sampleTree(t)
	keys := newLayout()
	record := Record{Bytes: 14, Chunks: 1, SHA256: sha256.Sum256([]byte("module sample\n"))}
	const path = "go.mod"
	indexes, contents := 1, 2
	for name, c := range map[string]struct {
		doctor func(tx *kv.Transaction)
		fails  int
		detail string
	}{
		"package row gone": {func(tx *kv.Transaction) { tx.Clear(keys.packages.Pack(tuple.Tuple{".", path})) }, indexes, "is missing"},
		"package row says another size": {func(tx *kv.Transaction) {
			tx.Set(keys.packages.Pack(tuple.Tuple{".", path}), tuple.Tuple{15}.Pack())
		}, indexes, "instead of"},
		"size row gone":       {func(tx *kv.Transaction) { tx.Clear(keys.sizes.Pack(tuple.Tuple{14, path})) }, indexes, "is missing"},
		"size row of no file": {func(tx *kv.Transaction) { tx.Set(keys.sizes.Pack(tuple.Tuple{9, "ghost"}), nil) }, indexes, "belongs to no file"},
		"total off by one": {func(tx *kv.Transaction) {
			tx.Add(keys.totals.Pack(tuple.Tuple{"net/http", totalFiles}), operand(1))
		}, indexes, "instead of"},
		"record gone": {func(tx *kv.Transaction) { tx.Clear(keys.files.Pack(tuple.Tuple{path})) }, indexes | contents, ""},
		"record of a file that was not imported": {func(tx *kv.Transaction) {
			tx.Set(keys.files.Pack(tuple.Tuple{"ghost"}), record.encode())
		}, indexes | contents, ""},
		"record with another hash": {func(tx *kv.Transaction) {
			tx.Set(keys.files.Pack(tuple.Tuple{path}), Record{Bytes: 14, Chunks: 1}.encode())
		}, contents, "the record of go.mod says"},
		"content changed": {func(tx *kv.Transaction) {
			tx.Set(keys.content.Pack(tuple.Tuple{path, 0}), []byte("module simple\n"))
		}, contents, "go.mod: content of 14 bytes"},
		"content gone": {func(tx *kv.Transaction) { tx.Clear(keys.content.Pack(tuple.Tuple{path, 0})) }, contents, "the content of go.mod is missing"},
		"middle chunk gone": {func(tx *kv.Transaction) {
			tx.Clear(keys.content.Pack(tuple.Tuple{"net/http/server.go", 1}))
		}, contents, "chunk 2 where chunk 1 should be"},
		"chunk too many": {func(tx *kv.Transaction) {
			tx.Set(keys.content.Pack(tuple.Tuple{path, 1}), nil)
		}, contents, "in 2 chunks"},
		"content of no file": {func(tx *kv.Transaction) {
			tx.Set(keys.content.Pack(tuple.Tuple{"ghost", 0}), []byte("boo"))
		}, contents, "ghost has content in the store and was not imported"},
		"content under a key that is none": {func(tx *kv.Transaction) {
			tx.Set(append(keys.content.Bytes(), 0x15, 0x01), []byte("boo"))
		}, contents, "1 elements instead of 2"},
	} {
		t.Run(name, func(t *testing.T) {
			a, _, manifest := importTree(t, dir)
			change(t, a.db, c.doctor)
			checks := map[int]Check{}
			check, err := a.CheckIndexes(t.Context())
			checks[indexes] = must(t, check, err)
			check, err = a.CheckContents(t.Context(), manifest, func(int64, int64) {})
			checks[contents] = must(t, check, err)
			for which, check := range checks {
				if c.fails&which != 0 {
					expectFailure(t, check, c.detail)
				} else {
					expectOK(t, check)
				}
			}
		})
	}
}

func TestAFileThatDiffersFromTheDiskIsNamed(t *testing.T) {
	dir := sampleTree(t)
	a, source, _ := importTree(t, dir)
	c, err := a.CheckAgainstDisk(t.Context(), source, source.Entries)
	expectOK(t, must(t, c, err))
	writeFile(t, dir, "go.mod", []byte("module simple\n"))
	c, err = a.CheckAgainstDisk(t.Context(), source, source.Entries)
	expectFailure(t, must(t, c, err), "go.mod: 14 bytes")
	writeFile(t, dir, "go.mod", []byte("module sample\n"))
	change(t, a.db, func(tx *kv.Transaction) { tx.Clear(a.keys.files.Pack(tuple.Tuple{"net/http/client.go"})) })
	c, err = a.CheckAgainstDisk(t.Context(), source, source.Entries)
	expectFailure(t, must(t, c, err), "net/http/client.go is not in the store")
	if _, err := a.CheckAgainstDisk(t.Context(), source, nil); err == nil {
		t.Error("a check of no file held")
	}
}
