// Package blob keeps values of any size under names, like files: streamed in
// and out, replaced atomically, read at any place.
//
//	files := blob.New(subspace.Sub("files"))
//	info, err := files.Put(ctx, db, "video.mp4", file)   // any io.Reader
//	r, err := files.Open(ctx, db, "video.mp4")           // io.Reader, ReaderAt, Seeker, WriterTo
//
// Put takes as many transactions as the content needs. Until the last one
// nobody sees anything of it; from then on everybody sees all of it. An upload
// that is given up, or whose process dies, leaves the blob as it was.
//
// What fits a transaction can be part of one, with everything else that it
// does: Set, Append, Get, In, Stat, List, Delete and Rename take the
// transaction or its reader. Delete, Rename and Stat cost the same for any size.
//
// # How it is stored
//
// A content has a random id and consists of chunks of 10,000 bytes. A head
// gives each name its content, so that a blob is replaced by writing one key.
//
//	(0, name)      → (1, id, size, bytes of a chunk)   head
//	(1, id, n)     → chunk n; all but the last are full
//	(2, name, id)  → versionstamp of its last transaction   upload under way
//
// # Uploads that were given up
//
// An upload that needs several transactions is registered, and each of them
// renews the registration. What has not been renewed for the time of
// Options.Lease, ten minutes unless said otherwise, counts as given up: the next
// upload of the same name removes it, and Sweep removes all of them. The time is
// measured in versions of the store, not by clocks, so it ends sooner after a
// recovery (by 100 s) and later in a store that is idle. An upload that was slow,
// and not given up, then fails with ErrAbandoned; nothing worse happens.
//
// # Options of transactions
//
// Options.Transaction gives priority, tags and the like to the transactions that
// a Store begins itself. What is part of a transaction of yours has the options
// of that.
//
//	background, err := blob.NewWithOptions(space, blob.Options{
//		Transaction: []kv.TransactionOption{kv.WithPriority(kv.PriorityBatch)},
//	})
//
// Stores with different options may share a subspace.
//
// # Reading what is being replaced
//
// A Reader keeps to the content that it was opened with. Each of its reads sees
// that content or, after it was replaced or deleted, fails with ErrChanged; open
// again to get the new one. Appending does not disturb readers: they see the
// blob as long as it was.
//
// # Invariants
//
//	B1  At every version, a name reads as one whole content that was stored
//	    under it, or as none.
//	B2  Every chunk belongs to the content of exactly one head or of exactly one
//	    registered upload. So after a Sweep, once all leases have ended, there is
//	    nothing but the heads and their chunks.
//	B3  The chunks of a content appear and disappear together as far as readers
//	    can tell: if a read finds those that it needs, they are right.
//	B4  A content that has a head never changes but by Append, which changes no
//	    byte that was there before.
//	B5  The memory of an upload or reader is bounded by a few transactions'
//	    worth, whatever the size of the blob.
package blob
