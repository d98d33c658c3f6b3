package simrpc

import (
	"errors"
	"math/rand/v2"
	"net"
	"testing"
	"time"

	"golang.org/x/net/nettest"

	"github.com/plinthdb/plinth/internal/sim/network"
)

func TestConnectionsConformToNetConn(t *testing.T) {
	for name, config := range map[string]network.Config{
		"Fast":         {},
		"SmallBuffers": {SegmentBytes: 1000, SendBufferBytes: 5000, ReceiveBufferBytes: 3000},
		"WithLatency":  {LatencyLow: 10 * time.Microsecond, LatencyHigh: time.Millisecond},
	} {
		t.Run(name, func(t *testing.T) {
			nettest.TestConn(t, func() (c1, c2 net.Conn, stop func(), err error) {
				n := network.New(config, rand.New(rand.NewPCG(1, 2)), func([]byte) {})
				l, err := n.NewNode("s").Listen(":80")
				if err != nil {
					return nil, nil, nil, errors.Join(err, n.Close())
				}
				c1, err = n.NewNode("c").Dial(t.Context(), "s:80")
				if err != nil {
					return nil, nil, nil, errors.Join(err, n.Close())
				}
				c2, err = l.Accept()
				return c1, c2, func() {
					if err := n.Close(); err != nil {
						t.Error(err)
					}
				}, err
			})
		})
	}
}
