package world

import (
	"errors"
	"strings"

	"github.com/plinthdb/plinth/kv"
)

// IsDamage reports whether a store that returned err has found that its files
// are damaged: what it must say, if anything, when bits of its disk are wrong. A
// wrong bit in a number of a format makes it look like a newer one.
func IsDamage(err error) bool {
	return errors.Is(err, kv.ErrFileCorrupt) || errors.Is(err, kv.ErrNewerFormat)
}

// NamesFile reports whether err names something in the store's directory.
func NamesFile(err error) bool { return strings.Contains(err.Error(), storeDir) }
