// Package steps is shared by the programs of all Go libraries: the server's address, the report of steps.
package steps

import (
	"bufio"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"os"
	"reflect"
)

var (
	Address  = os.Getenv("TILE38_HOST") + ":" + os.Getenv("TILE38_PORT")
	User     = os.Getenv("TILE38_USER")
	Password = os.Getenv("TILE38_PASSWORD")
)

// Script returns the place of an object.
const Script = "return tile38.call('GET', KEYS[1], ARGV[1], 'POINT')"

// TLS returns the settings of an encrypted connection, nil for a plain one.
func TLS() *tls.Config {
	file := os.Getenv("TILE38_CA")
	if file == "" {
		return nil
	}
	text, err := os.ReadFile(file)
	Check(err)
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(text)
	return &tls.Config{RootCAs: pool, ServerName: os.Getenv("TILE38_HOST")}
}

// Ok reports that a step was taken.
func Ok(step string) {
	fmt.Println("ok", step)
}

// Check ends the program with status 1 if there is an error.
func Check(err error) {
	if err != nil {
		panic(err)
	}
}

// Expect ends the program if there is an error, or the reply isn't as expected.
func Expect(err error, found, expected any) {
	Check(err)
	if !reflect.DeepEqual(found, expected) {
		panic(fmt.Sprintf("%#v instead of %#v", found, expected))
	}
}

// WaitForRestart has the server restarted.
func WaitForRestart() {
	fmt.Println("restart")
	line, err := bufio.NewReader(os.Stdin).ReadString('\n')
	Expect(err, line, "restarted\n")
}
