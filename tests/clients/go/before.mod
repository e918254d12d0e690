module tile38py/clients

go 1.26.0

require (
	github.com/gomodule/redigo v1.8.9
	github.com/redis/go-redis/v9 v9.22.0
	github.com/redis/rueidis v1.0.78
)

require (
	github.com/cespare/xxhash/v2 v2.3.0 // indirect
	go.uber.org/atomic v1.12.0 // indirect
	golang.org/x/sys v0.48.0 // indirect
)
