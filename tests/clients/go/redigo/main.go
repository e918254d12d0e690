// redigo: a pool that pings idle connections, Send and Receive, Script and PubSubConn.
package main

import (
	"time"

	"github.com/gomodule/redigo/redis"

	"tile38py/clients/steps"
)

const messageTimeMax = 10 * time.Second

func dial() (redis.Conn, error) {
	options := []redis.DialOption{redis.DialUsername(steps.User), redis.DialPassword(steps.Password)}
	if settings := steps.TLS(); settings != nil {
		options = append(options, redis.DialUseTLS(true), redis.DialTLSConfig(settings))
	}
	return redis.Dial("tcp", steps.Address, options...)
}

func testOnBorrow(connection redis.Conn, _ time.Time) error {
	_, err := connection.Do("PING")
	return err
}

func storeAndSearch(connection redis.Conn) {
	set, err := redis.String(connection.Do("SET", "fleet", "truck", "POINT", 33.5, -112.2))
	steps.Expect(err, set, "OK")
	point, err := redis.Strings(connection.Do("GET", "fleet", "truck", "POINT"))
	steps.Expect(err, point, []string{"33.5", "-112.2"})
	steps.Ok("set")
	near, err := redis.Values(connection.Do("NEARBY", "fleet", "LIMIT", 5, "IDS", "POINT", 33.5, -112))
	steps.Expect(err, near, []any{int64(0), []any{[]byte("truck")}})
	steps.Ok("nearby")
	for number := range 100 {
		steps.Check(connection.Send("SET", "many", number, "POINT", number%90, 2))
	}
	steps.Check(connection.Flush())
	for range 100 {
		set, err := redis.String(connection.Receive())
		steps.Expect(err, set, "OK")
	}
	steps.Ok("pipeline")
	steps.Check(connection.Send("MULTI"))
	steps.Check(connection.Send("SET", "fleet", "bus", "POINT", 1, 2))
	steps.Check(connection.Send("SCAN", "fleet", "COUNT"))
	replies, err := redis.Values(connection.Do("EXEC"))
	steps.Expect(err, replies, []any{"OK", int64(2)})
	steps.Ok("transaction")
	script := redis.NewScript(1, steps.Script)
	for range 2 {
		point, err := redis.Strings(script.Do(connection, "fleet", "bus"))
		steps.Expect(err, point, []string{"1", "2"})
	}
	steps.Ok("script")
}

func receive(subscriber redis.PubSubConn) any {
	return subscriber.ReceiveWithTimeout(messageTimeMax)
}

func subscribe(pool *redis.Pool, publisher redis.Conn) {
	subscribers := []redis.PubSubConn{{Conn: pool.Get()}, {Conn: pool.Get()}}
	for _, subscriber := range subscribers {
		steps.Check(subscriber.Subscribe("news"))
		steps.Expect(nil, receive(subscriber), redis.Subscription{Kind: "subscribe", Channel: "news", Count: 1})
		steps.Check(subscriber.Ping("there"))
		steps.Expect(nil, receive(subscriber), redis.Pong{Data: "there"})
	}
	receivers, err := redis.Int(publisher.Do("PUBLISH", "news", "hello"))
	steps.Expect(err, receivers, 2)
	for _, subscriber := range subscribers {
		steps.Expect(nil, receive(subscriber), redis.Message{Channel: "news", Data: []byte("hello")})
	}
	steps.Ok("subscribe")
	for _, subscriber := range subscribers {
		steps.Check(subscriber.Unsubscribe())
		steps.Expect(nil, receive(subscriber), redis.Subscription{Kind: "unsubscribe", Channel: "news", Count: 0})
		point, err := redis.Strings(subscriber.Conn.Do("GET", "fleet", "bus", "POINT"))
		steps.Expect(err, point, []string{"1", "2"})
		// The pool takes it back as an ordinary connection.
		steps.Check(subscriber.Conn.Close())
	}
	steps.Ok("reuse")
}

func main() {
	pool := &redis.Pool{MaxIdle: 3, Dial: dial, TestOnBorrow: testOnBorrow}
	defer pool.Close()
	connection := pool.Get()
	pong, err := redis.String(connection.Do("PING"))
	steps.Expect(err, pong, "PONG")
	steps.Ok("connect")
	storeAndSearch(connection)
	subscribe(pool, connection)
	steps.Check(connection.Close())
	steps.WaitForRestart()
	connection = pool.Get()
	point, err := redis.Strings(connection.Do("GET", "fleet", "bus", "POINT"))
	steps.Expect(err, point, []string{"1", "2"})
	steps.Ok("restart")
	steps.Check(connection.Close())
}
