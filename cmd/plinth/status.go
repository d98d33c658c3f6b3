package main

import (
	"context"
	"fmt"

	"github.com/plinthdb/plinth/cmd/plinth/internal/shell"
	"github.com/plinthdb/plinth/kv/embedded"
)

// statusOf describes an embedded store to the shell.
func statusOf(store *embedded.Store) shell.StatusFunc {
	return func(context.Context) (shell.Status, error) {
		s := store.Status()
		return shell.Status{Document: s, Sections: []shell.StatusSection{
			storeSection(s), logSection(s), storageSection(s), resolverSection(s), workSection(s),
		}}, nil
	}
}

func storeSection(s embedded.Status) shell.StatusSection {
	return shell.StatusSection{Heading: "Store", Facts: []shell.StatusFact{
		{Name: "directory", Value: s.Dir},
		{Name: "opened", Value: fmt.Sprintf("%d times", s.Generation)},
		{Name: "committed version", Value: fmt.Sprint(s.CommittedVersion)},
	}}
}

func logSection(s embedded.Status) shell.StatusSection {
	return shell.StatusSection{
		Heading: "Log",
		Facts: []shell.StatusFact{
			{Name: "kept for storage", Value: fmt.Sprintf("%s in %d segments", formatBytes(s.WriteAheadLog.LiveBytes), s.WriteAheadLog.Segments)},
			{Name: "free for reuse", Value: formatBytes(s.WriteAheadLog.FreeBytes)},
		},
		Details: []shell.StatusFact{
			{Name: "waiting to be written", Value: formatBytes(s.WriteAheadLog.QueuedBytes)},
			{Name: "segments", Value: fmt.Sprintf("%d to %d", s.WriteAheadLog.Oldest, s.WriteAheadLog.Newest)},
			{Name: "end", Value: fmt.Sprintf("version %d", s.Log.End)},
			{Name: "known to be committed", Value: fmt.Sprintf("version %d", s.Log.KnownCommitted)},
			{Name: "not yet in storage", Value: fmt.Sprintf("%d batches", s.Log.UnpoppedBatches)},
		},
	}
}

func storageSection(s embedded.Status) shell.StatusSection {
	data := s.Storage
	return shell.StatusSection{
		Heading: "Storage",
		Facts: []shell.StatusFact{
			{Name: "on disk", Value: formatBytes(int64(data.DiskBytes))},
			{Name: "readable versions", Value: fmt.Sprintf("%d to %d", data.OldestReadable, data.Version)},
			{Name: "durable version", Value: fmt.Sprint(data.Durable)},
			{Name: "recent writes in memory", Value: fmt.Sprintf("%s of at most %s, %d keys",
				formatBytes(int64(data.WindowBytes)), formatBytes(int64(data.WindowLimitBytes)), data.WindowKeys)},
			{Name: "watches", Value: fmt.Sprint(data.Watches)},
		},
		Details: []shell.StatusFact{
			{Name: "waiting reads", Value: fmt.Sprint(data.WaitingReads)},
			{Name: "not yet flushed", Value: formatBytes(int64(data.MemTableBytes))},
			{Name: "popped from the log", Value: fmt.Sprintf("up to version %d", data.Popped)},
		},
	}
}

func resolverSection(s embedded.Status) shell.StatusSection {
	return shell.StatusSection{Heading: "Resolver", Details: []shell.StatusFact{
		{Name: "waiting requests", Value: fmt.Sprint(s.Resolver.Waiting)},
		{Name: "remembered answers", Value: fmt.Sprint(s.Resolver.Answers)},
	}}
}

func workSection(s embedded.Status) shell.StatusSection {
	data, resolved := s.Storage, s.Resolver
	return shell.StatusSection{
		Heading: "Since it was opened",
		Facts: []shell.StatusFact{
			{Name: "transactions", Value: fmt.Sprintf("%d in %d batches", resolved.Transactions, resolved.Batches)},
			{Name: "conflicts", Value: fmt.Sprint(resolved.Conflicts)},
			{Name: "too old", Value: fmt.Sprint(resolved.TooOld)},
			{Name: "keys looked up", Value: fmt.Sprint(data.Gets)},
			{Name: "rows scanned", Value: fmt.Sprint(data.Rows)},
		},
		Details: []shell.StatusFact{
			{Name: "mutations applied", Value: fmt.Sprint(data.Mutations)},
			{Name: "steps to the engine", Value: fmt.Sprintf("%d, %d of them waited", data.Steps, data.Stalls)},
			{Name: "block cache", Value: fmt.Sprintf("%d hits, %d misses", data.CacheHits, data.CacheMisses)},
			{Name: "failed reads of the log", Value: fmt.Sprint(data.PeekErrors)},
		},
	}
}
