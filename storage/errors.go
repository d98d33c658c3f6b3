package storage

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"syscall"

	"github.com/cockroachdb/pebble/v2"
	"github.com/plinthdb/plinth/internal/wire"
)

// remedy is what to do about an engine that lost data.
const remedy = "restore the data directory from a backup or, in a cluster, rebuild this storage server from another replica"

// ioError gives an error of the engine its number: a full disk, a corrupt or
// missing file (named where Pebble knows it), or another disk error.
func ioError(dir string, err error) error {
	var typed *wire.Error
	if errors.As(err, &typed) {
		return err
	}
	err = &cause{err}
	switch {
	case errors.Is(err, syscall.ENOSPC):
		return wire.ErrDiskFull.With("disk is full under storage directory %s; make room, then open the store again", dir).Because(err)
	case errors.Is(err, os.ErrNotExist):
		return wire.ErrFileCorrupt.With("a file of storage directory %s is missing; %s", dir, remedy).Because(err)
	case pebble.IsCorruptionError(err):
		if info := pebble.ExtractDataCorruptionInfo(err); info != nil {
			return corruptFile(*info)
		}
		return wire.ErrFileCorrupt.With("a file of storage directory %s is corrupt; %s", dir, remedy).Because(err)
	}
	return wire.ErrIO.With("disk error under storage directory %s", dir).Because(err)
}

// cause is an error of the engine as part of a message. Pebble joins what it
// finds wrong with each file by line ends; after a damaged manifest that can be
// every file there is.
type cause struct{ error }

// shownFindings is how many of the engine's findings a message shows.
const shownFindings = 3

// Error returns the first findings, in one line.
func (c *cause) Error() string {
	findings := strings.Split(c.error.Error(), "\n")
	if n := len(findings) - shownFindings; n > 0 {
		findings = append(findings[:shownFindings:shownFindings], fmt.Sprintf("and %d more", n))
	}
	return strings.Join(findings, "; ")
}

// Unwrap returns the engine's error.
func (c *cause) Unwrap() error { return c.error }

// openError is ioError for what only opening can meet.
func openError(dir string, err error) error {
	switch text := err.Error(); {
	case strings.Contains(text, "object size mismatch"):
		return wire.ErrFileCorrupt.With("a file of storage directory %s has not the length it was written with; %s", dir, remedy).Because(&cause{err})
	case errors.Is(err, pebble.ErrDBNotPristine):
		return wire.ErrFileCorrupt.With("the file of storage directory %s that marks its format is missing; %s", dir, remedy).Because(&cause{err})
	case strings.Contains(text, "unknown format major version"):
		return wire.ErrNewerFormat.With("storage directory %s was written by a newer version of Plinth; open it with that version", dir).Because(err)
	case strings.Contains(text, "lock held by current process"), errors.Is(err, syscall.EAGAIN), errors.Is(err, syscall.EACCES) && strings.Contains(text, "LOCK"):
		return wire.ErrDirectoryInUse.With("storage directory %s is in use by another server", dir).Because(err)
	}
	return ioError(dir, err)
}

// panicError is the error for a panic of the engine as it opened.
func panicError(dir string, cause any) error {
	err, ok := cause.(error)
	if !ok {
		err = fmt.Errorf("%v", cause)
	}
	return openError(dir, fmt.Errorf("the engine gave up: %w", err))
}

// corruptFile names the file that Pebble found damaged.
func corruptFile(info pebble.DataCorruptionInfo) error {
	return wire.ErrFileCorrupt.With("file %s is corrupt; %s", info.Path, remedy).Because(info.Details)
}
