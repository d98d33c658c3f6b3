package scenario

import (
	"bytes"
	"context"
	"encoding/binary"
	"math/rand/v2"
	"strconv"
	"sync"
	"time"

	"github.com/plinthdb/plinth/internal/sim/network"
)

const (
	// answerLimit is how long a user waits for an answer before it gives the
	// connection up.
	answerLimit = 8 * time.Second
	// sessionRequests is the most requests of one connection.
	sessionRequests = 50
)

// echoRequestHeadBytes are the session and the number in it; padding follows.
const echoRequestHeadBytes = 16

func echoRequest(rng *rand.Rand, session, number uint64, limitBytes int) []byte {
	b := make([]byte, echoRequestHeadBytes+rng.IntN(limitBytes+1))
	binary.BigEndian.PutUint64(b, session)
	binary.BigEndian.PutUint64(b[8:], number)
	for i := echoRequestHeadBytes; i < len(b); i++ {
		b[i] = byte(rng.Uint32())
	}
	return b
}

// serve is the program of a server. Its answers are the boot, 8 bytes, and the
// request.
func (r *echoRun) serve(ctx context.Context, node *network.Node, boot uint64) {
	l, err := node.Listen(echoPort)
	if err != nil {
		return // it was killed at birth
	}
	stop := r.transport.Serve(l, func(request []byte) []byte {
		r.books.served(node.Machine(), boot, request)
		return append(binary.BigEndian.AppendUint64(nil, boot), request...)
	})
	<-ctx.Done()
	stop()
}

// use returns the program of the client of that number.
func (r *echoRun) use(servers []string, client int) func(context.Context, *network.Node, uint64) {
	users := make([]*echoUser, r.swarm.Users)
	for i := range users {
		number := client*r.swarm.Users + i
		users[i] = &echoUser{
			run: r, number: number, servers: servers,
			turn: make(chan struct{}, 1), rng: r.world.Rand("echo/user/" + strconv.Itoa(number)),
		}
	}
	return func(ctx context.Context, node *network.Node, _ uint64) {
		var work sync.WaitGroup
		for _, u := range users {
			work.Go(func() { u.use(ctx, node) })
		}
		work.Wait()
	}
}

// echoUser sends requests to one server after the other. It outlives the
// incarnations of its process.
type echoUser struct {
	run     *echoRun
	number  int
	servers []string
	// turn has room for one: the remains of a dead incarnation end first.
	turn chan struct{}
	rng  *rand.Rand
}

func (u *echoUser) use(ctx context.Context, node *network.Node) {
	u.turn <- struct{}{}
	defer func() { <-u.turn }()
	for ctx.Err() == nil {
		server := u.servers[u.rng.IntN(len(u.servers))]
		err := u.session(ctx, node, server+echoPort)
		u.run.world.Trace("echo user %d session with %s: %v", u.number, server, err)
		if err != nil {
			_ = sleep(ctx, time.Duration(u.rng.ExpFloat64()*float64(u.run.swarm.Pause)))
		}
	}
}

// session is the life of one connection.
func (u *echoUser) session(ctx context.Context, node *network.Node, address string) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	patience := time.AfterFunc(answerLimit, cancel)
	defer patience.Stop()
	conn, err := u.run.transport.Connect(ctx, node.Dial, address)
	if err != nil {
		return err
	}
	s := &echoSession{
		user: u, conn: conn, id: u.run.books.newSession(), patience: patience,
		count: 1 + u.rng.IntN(sessionRequests), sent: make(chan []byte, u.run.swarm.Window),
	}
	var sender sync.WaitGroup
	sender.Go(func() { s.send(ctx, rand.New(rand.NewPCG(u.rng.Uint64(), 0))) })
	err = s.receive()
	cancel() // which ends the sender too
	conn.Close()
	sender.Wait()
	s.drain()
	return err
}

// echoSession is one connection as its user sees it.
type echoSession struct {
	user     *echoUser
	conn     EchoConn
	id       uint64
	count    int
	patience *time.Timer
	// sent are the requests that were sent and not answered, in order; its
	// capacity is the window.
	sent chan []byte
}

// send sends the requests, each after it was noted in sent.
func (s *echoSession) send(ctx context.Context, rng *rand.Rand) {
	defer close(s.sent)
	for number := range s.count {
		request := echoRequest(rng, s.id, uint64(number), s.user.run.swarm.Bytes)
		select {
		case s.sent <- request:
		case <-ctx.Done():
			return
		}
		if s.conn.Send(request) != nil {
			return
		}
		if sleep(ctx, time.Duration(rng.ExpFloat64()*float64(s.user.run.swarm.Pause))) != nil {
			return
		}
	}
}

// receive compares the answers with the requests (EC1, EC2).
func (s *echoSession) receive() error {
	var boot []byte
	for number := range s.count {
		answer, err := s.conn.Receive()
		if err != nil {
			return err
		}
		select {
		case request := <-s.sent:
			if len(answer) != 8+len(request) || !bytes.Equal(answer[8:], request) {
				return s.user.run.world.Violated(EchoName, "EC1", "answer %d of session %d is %x…, the request was %x…",
					number, s.id, firstBytes(answer), firstBytes(request))
			}
		default:
			return s.user.run.world.Violated(EchoName, "EC2", "session %d got answer %d before the request was sent", s.id, number)
		}
		if boot != nil && !bytes.Equal(boot, answer[:8]) {
			return s.user.run.world.Violated(EchoName, "EC1", "session %d got answers of incarnations %x and %x", s.id, boot, answer[:8])
		}
		boot = answer[:8]
		s.patience.Reset(answerLimit)
		s.user.run.books.answered(s.user.number)
	}
	return nil
}

func firstBytes(b []byte) []byte { return b[:min(len(b), 32)] }

// drain counts the requests whose fate is not known.
func (s *echoSession) drain() {
	for range s.sent {
		s.user.run.books.unknown()
	}
}
