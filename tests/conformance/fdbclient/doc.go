// Package fdbclient lets the stack machine run on FoundationDB's Go API, as
// Plinth's compat module has it: written as a program for the original binding
// would be, so that with another line in go.mod it runs on that.
package fdbclient
