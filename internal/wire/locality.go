package wire

// SplitRequest asks for keys that split the rows with Begin <= key < End into
// chunks of about ChunkBytes, which is positive.
type SplitRequest struct {
	Begin, End []byte
	ChunkBytes int64
}

// SplitReply holds keys between Begin and End, both exclusive, in order.
type SplitReply struct {
	Keys [][]byte
}

// LocateRequest asks for the shards that hold keys with Begin <= key < End, at
// most Limit of them; 0 is no limit.
type LocateRequest struct {
	Begin, End []byte
	Limit      int
}

// Shard is a range of keys that the same storage servers hold.
type Shard struct {
	KeyRange
	// Addresses are the servers', host and port each.
	Addresses []string
}

// LocateReply holds shards in key order. The first may begin before the range,
// the last one end after it.
type LocateReply struct {
	Shards []Shard
}
