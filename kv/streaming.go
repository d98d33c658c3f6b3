package kv

import "github.com/plinthdb/plinth/internal/wire"

// StreamingMode says in what pieces the rows of a range come from the store. It
// changes no result, only what is fetched at a time and perhaps in vain.
type StreamingMode uint8

// The streaming modes, with FoundationDB's names; the sizes are Plinth's.
const (
	// StreamingIterator is for who may break off: pieces begin small and grow.
	// A read with a limit, and Slice, which cannot break off, fetch as
	// StreamingWantAll does. This is the default.
	StreamingIterator StreamingMode = iota
	// StreamingWantAll is for who wants all rows soon: the largest pieces.
	StreamingWantAll
	// StreamingExact fetches as many rows as the limit says at once, as far as
	// the store does that. Without a limit of rows or bytes the read fails with
	// ErrExactModeWithoutLimits.
	StreamingExact
	// StreamingSmall, StreamingMedium, StreamingLarge and StreamingSerial have
	// pieces of one size each: 1, 8, 32 and 128 KiB.
	StreamingSmall
	StreamingMedium
	StreamingLarge
	StreamingSerial
)

const (
	smallPieceBytes  = 1 << 10
	mediumPieceBytes = 8 << 10
	largePieceBytes  = 32 << 10
)

// pieces returns the sizes of the first piece and of the largest one; 0 is what
// the store likes. With eager the reader wants all rows at once. Nobody fetches
// more at first than a limit of bytes lets through.
func (o *RangeOptions) pieces(eager bool) (first, most int) {
	most = maxPieceBytes
	switch o.Mode {
	case StreamingExact:
		return o.LimitBytes, o.LimitBytes
	case StreamingSmall:
		most = smallPieceBytes
	case StreamingMedium:
		most = mediumPieceBytes
	case StreamingLarge:
		most = largePieceBytes
	}
	switch {
	case o.LimitBytes > 0:
		return min(o.LimitBytes, most), most
	case o.Mode == StreamingIterator && !eager && o.Limit == 0:
		return firstPieceBytes, most
	}
	return most, most
}

// WithReadAhead says whether an iteration over a range fetches the next piece
// while its user consumes one. It does by default over a back-end that is remote;
// an embedded store, whose reads are function calls, does not: with the rows in
// the cache it would save nothing. It changes no result.
//
// There is at most one piece on its way, and none before half of the first one is
// consumed. StreamingSmall, StreamingExact, Slice and reads with a limit of bytes
// never read ahead.
func WithReadAhead(on bool) TransactionOption {
	return func(o *transactionOptions) { o.attempt.noReadAhead = !on }
}

// mayReadAhead reports whether more than a few rows are wanted, and not all at
// once.
func (o *RangeOptions) mayReadAhead() bool {
	return o.Mode != StreamingSmall && o.Mode != StreamingExact && o.LimitBytes == 0
}

func checkRangeOptions(o RangeOptions) error {
	switch {
	case o.Limit < 0 || o.LimitBytes < 0:
		return wire.ErrRangeLimitsInvalid.With("range limits of %d rows and %d bytes: a limit must not be negative", o.Limit, o.LimitBytes)
	case o.Mode > StreamingSerial:
		return wire.ErrClientInvalidOperation.With("streaming mode %d is unknown", o.Mode)
	case o.Mode == StreamingExact && o.Limit == 0 && o.LimitBytes == 0:
		return wire.ErrExactModeWithoutLimits
	}
	return nil
}
