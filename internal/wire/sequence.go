package wire

// CommitVersionRequest asks the sequencer for the version of a new batch.
type CommitVersionRequest struct {
	// Role is the sequencer that the proxy was recruited with.
	Role RoleID
	// Proxy is the asking proxy, Number counts its requests from 1. A repeated
	// request gets the same answer again.
	Proxy  RoleID
	Number uint64
	// Applied is the newest version whose metadata changes the proxy has
	// applied; the reply holds those after it.
	Applied Version
}

// CommitVersionReply hands out a version, once.
type CommitVersionReply struct {
	// Prev is the version handed out before Version.
	Prev, Version Version
	// Metadata holds the changes to apply before Version or a later version is
	// routed, oldest first.
	Metadata []MetadataChange
}

// MetadataChange is one blind write to the cluster's metadata, bound to the
// version that carries it to log group 0.
type MetadataChange struct {
	Version   Version
	Mutations []byte // a mutation list on system keys
}
