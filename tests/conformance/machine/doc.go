// Package machine is the stack machine of FoundationDB's binding tester, as
// bindings/bindingtester/spec in FoundationDB's repository describes it.
//
// A Machine reads instructions from the database, executes them one after the
// other, and leaves what comes of them on its stack, which an instruction
// writes back to the database. It knows nothing of any client but the Client
// interface:
//
//	err := machine.Run(kvclient.New(ctx, db), []byte("prefix"))
//
// The operations are in tables by group: data.go, transactions.go, reads.go,
// writes.go, tuples.go, threads.go, directories.go and subspaces.go. UNIT_TESTS, in
// threads.go, stands for tests that each client has of its own.
//
// Invariants:
//
//	S1  An error of the client with a number goes to the stack, and the program
//	    goes on. Any other error, and every instruction that makes no sense,
//	    ends the program with a *ProgramError.
//	S2  A future on the stack is waited for when it is popped, before anything
//	    that uses its value.
//	S3  The machines of a test have their transactions in common, and nothing
//	    else but the database. Run waits for all of them.
package machine
