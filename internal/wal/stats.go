package wal

import "time"

// counters are the running totals since Open.
type counters struct {
	// Records and Bytes are what was written: the caller's records, and the bytes
	// of all records with their headers.
	Records int64 `json:"records"`
	Bytes   int64 `json:"bytes"`
	// Batches is how often the writer took what was queued, Writes how often it
	// wrote records to a file, Syncs how often it synced one.
	Batches int64 `json:"batches"`
	Writes  int64 `json:"writes"`
	Syncs   int64 `json:"syncs"`
	// SyncTime is the time spent in Syncs, LongestSync the longest of them.
	SyncTime    time.Duration `json:"sync_time_nanos"`
	LongestSync time.Duration `json:"longest_sync_nanos"`
	// Blocked is how often Append had to wait for room in the queue.
	Blocked int64 `json:"blocked"`
	// Reads counts calls of ReadAt.
	Reads int64 `json:"reads"`
	// Recycled is how many segments were made out of dropped ones.
	Recycled int64 `json:"recycled"`
}

// Stats says what a log holds and has done.
type Stats struct {
	counters
	// Segments is how many segments hold records, LiveBytes the length of their
	// files.
	Segments  int   `json:"segments"`
	LiveBytes int64 `json:"live_bytes"`
	// FreeBytes is the length of the files kept to be written again.
	FreeBytes int64 `json:"free_bytes"`
	// Oldest and Newest are the numbers of the first and the last segment with
	// records, 0 if there is none.
	Oldest uint64 `json:"oldest"`
	Newest uint64 `json:"newest"`
	// QueuedBytes is what was appended and is not yet written.
	QueuedBytes int64 `json:"queued_bytes"`
}

// Stats returns what the log holds and has done since Open.
func (l *Log) Stats() Stats {
	l.mu.Lock()
	defer l.mu.Unlock()
	c := &l.mu.catalog
	st := Stats{counters: l.mu.stats, Segments: len(c.live), QueuedBytes: l.mu.queuedBytes}
	for _, s := range c.live {
		st.LiveBytes += s.size
	}
	for _, f := range c.free {
		st.FreeBytes += f.size
	}
	if n := len(c.live); n > 0 {
		st.Oldest, st.Newest = c.live[0].seq, c.live[n-1].seq
	}
	return st
}
