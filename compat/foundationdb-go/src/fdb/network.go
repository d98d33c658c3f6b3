package fdb

import "errors"

// The errors of starting and stopping.
var (
	// ErrNetworkAlreadyStopped is StopNetwork's when it was called before.
	ErrNetworkAlreadyStopped = errors.New("network was stopped already")
	// ErrNetworkIsStopped is that of opening a database after StopNetwork.
	ErrNetworkIsStopped = errors.New("network is stopped; it cannot be started again in this process")
	// ErrNetworkNotStarted is StopNetwork's when no database was opened before.
	ErrNetworkNotStarted = errors.New("network was not started: no database was opened")
)

// StartNetwork does nothing but check that an API version is selected: what is
// needed starts when a database is opened.
//
// Deprecated: it is not needed.
func StartNetwork() error {
	_, err := selected.get()
	return err
}

// StopNetwork closes all stores that the process has open, whoever uses them,
// and lets no other be opened. It returns when they are closed.
func StopNetwork() error {
	if _, err := selected.get(); err != nil {
		return err
	}
	return process.stop()
}
