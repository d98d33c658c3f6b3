package fdb

import "sync/atomic"

// The API versions that can be selected.
const (
	minAPIVersion = 200
	maxAPIVersion = 730
)

// The API versions that changed what the package does.
const (
	// versionSnapshotRYW lets snapshot reads see own writes.
	versionSnapshotRYW = 300
	// versionKeepsCommitted no longer resets a transaction that was committed.
	versionKeepsCommitted = 410
	// versionAbsentOperand makes BitAnd and Min of an absent key its operand.
	versionAbsentOperand = 510
	// versionStampOffset takes the place of a versionstamp as four bytes.
	versionStampOffset = 520
	// versionCancelsOnError cancels a transaction with an error that is not
	// retryable, instead of resetting it.
	versionCancelsOnError = 610
	// versionPersistentOptions keeps time-out, retry limit and retry delay when a
	// transaction is retried.
	versionPersistentOptions = 610
	// versionSpecialKeys has all special keys; before there were three, each of
	// which could be got by itself.
	versionSpecialKeys = 630
	// versionPortsInAddresses shows addresses with their ports.
	versionPortsInAddresses = 630
	// versionKeepsReadVersion keeps the read version over a commit, instead of
	// getting a new one when it is asked for.
	versionKeepsReadVersion = 700
)

// selection is the API version of a process, 0 until one is selected.
type selection struct{ version atomic.Int32 }

// choose selects a version. A second selection must be the same.
func (s *selection) choose(version int) error {
	if selected := int(s.version.Load()); selected != 0 {
		if selected == version {
			return nil
		}
		return errAPIVersionAlreadySet
	}
	if version < minAPIVersion || version > maxAPIVersion {
		return errAPIVersionNotKnown
	}
	if !s.version.CompareAndSwap(0, int32(version)) {
		return s.choose(version)
	}
	return nil
}

func (s *selection) get() (int, error) {
	if version := int(s.version.Load()); version != 0 {
		return version, nil
	}
	return 0, errAPIVersionUnset
}

// selected is the API version of this process. The API is defined so: one
// version for all that a program does.
var selected selection

// APIVersion selects the API version, from 200 to 730, by which the package
// behaves. It has to come before nearly everything else. A second call must
// name the same version: error 2201. A version out of range is error 2203.
func APIVersion(version int) error { return selected.choose(version) }

// MustAPIVersion is APIVersion, but panics with its error.
func MustAPIVersion(version int) { must(APIVersion(version)) }

// GetAPIVersion returns the selected API version, or error 2200 if there is
// none yet.
func GetAPIVersion() (int, error) { return selected.get() }

// MustGetAPIVersion is GetAPIVersion, but panics with its error.
func MustGetAPIVersion() int {
	version, err := GetAPIVersion()
	must(err)
	return version
}

// IsAPIVersionSelected reports whether an API version was selected.
func IsAPIVersionSelected() bool {
	_, err := selected.get()
	return err == nil
}

func must(err error) {
	if err != nil {
		panic(err)
	}
}
