package wire

// GetValuesRequest asks for the values of many keys at one version.
type GetValuesRequest struct {
	Version Version
	Keys    [][]byte
}

// GetValuesReply holds one value a key, in the request's order: nil for a key
// that is absent, not nil (but perhaps empty) for one that is there.
type GetValuesReply struct {
	Values [][]byte
}

// GetKeyRequest asks a storage server to resolve a key selector.
type GetKeyRequest struct {
	Version  Version
	Selector KeySelector
}

// GetKeyReply holds the selected key. A selector that runs off the front gives
// the empty key, one that runs off the back the end of the key space
// (SystemPrefix for a selector on user keys).
type GetKeyReply struct {
	Key []byte
}

// GetRangeRequest asks for the rows between two resolved keys, Begin first or,
// with Reverse, End first.
type GetRangeRequest struct {
	Version    Version
	Begin, End []byte
	// LimitRows and LimitBytes end the reply early; 0 is no limit of that kind.
	// At least one row is returned if there is one. Bytes count keys and
	// values.
	LimitRows, LimitBytes int
	Reverse               bool
}

// GetRangeReply holds rows in the order of the scan.
type GetRangeReply struct {
	Rows []KeyValue
	// More says that a limit ended the reply and that there may be more rows
	// beyond the last one returned.
	More bool
}

// WatchRequest asks to be told when Key no longer has Value (nil: absent),
// which is what it had at Version.
type WatchRequest struct {
	Key     []byte
	Value   []byte
	Version Version
}

// WatchReply says at which version the value was seen to differ.
type WatchReply struct {
	Version Version
}
