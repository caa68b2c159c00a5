/**
 * Names that never belong to a public receiver: special-use top-level domains (RFC 6761, 6762, 7686, 8375, 9476),
 * ICANN's name-collision and `internal` reservations, and the suffixes that routers, Docker, Kubernetes and service
 * meshes resolve by themselves.
 */
const RESERVED_SUFFIXES: ReadonlySet<string> = new Set([
  ...['alt', 'arpa', 'example', 'invalid', 'local', 'localhost', 'onion', 'test'],
  ...['corp', 'domain', 'home', 'internal', 'intranet', 'lan', 'mail', 'private', 'workgroup'],
  ...['localdomain', 'localdomain4', 'localdomain6', 'localhost4', 'localhost6', 'localnet', 'router'],
  ...['cluster', 'consul', 'docker', 'kubernetes', 'mesh', 'nomad', 'pod', 'svc'],
  ...['bit', 'exit', 'gnu', 'i2p', 'zkey'],
]);

/**
 * Ports ≥ 1024 that speak to infrastructure rather than to a receiver: those that browsers block (WHATWG Fetch,
 * "bad port") and the usual ones of databases, brokers, caches, orchestrators and remote administration. An HTTP
 * request sent there can be taken for commands.
 */
const RESERVED_PORTS: ReadonlySet<number> = new Set([
  // WHATWG Fetch
  ...[
    1719, 1720, 1723, 2049, 3659, 4045, 4190, 5060, 5061, 6000, 6566, 6665, 6666, 6667, 6668, 6669, 6679,
    6697, 10080,
  ],
  // databases and search: SQL Server, Oracle, MySQL, PostgreSQL, Cassandra, CouchDB, InfluxDB, Elasticsearch, MongoDB
  ...[1433, 1434, 1521, 2483, 2484, 3306, 33060, 5432, 6432, 7199, 9042, 9160, 5984, 8086, 9200, 9300],
  ...[27017, 27018, 27019, 28017],
  // caches and brokers: Redis, memcached, AMQP, RabbitMQ, MQTT, Kafka, NATS, ActiveMQ, epmd
  ...[
    6379, 6380, 16379, 26379, 11211, 5671, 5672, 15672, 25672, 1883, 8883, 9092, 9093, 4222, 61613, 61616,
    4369,
  ],
  // orchestration: ZooKeeper, Docker, etcd, Kubernetes, Consul, Vault
  ...[
    2181, 2375, 2376, 2377, 2379, 2380, 6443, 10248, 10249, 10250, 10255, 10256, 8300, 8301, 8302, 8500, 8600,
    8200,
  ],
  // administration and proxies: SOCKS, Squid, RDP, VNC, WinRM, X11, git, syslog, statsd, SMTP submission stand-ins
  ...[1080, 3128, 3389, 5900, 5901, 5985, 5986, 6001, 6002, 6003, 9418, 6514, 8125, 2525],
]);

/** The reserved suffix (without its leading dot) that a lower-case name ends in, or null. */
export function reservedSuffixOf(name: string): string | null {
  for (let start = 0; start !== -1 && start < name.length;) {
    const suffix = name.slice(start);
    if (RESERVED_SUFFIXES.has(suffix)) return suffix;
    const dot = name.indexOf('.', start);
    start = dot === -1 ? -1 : dot + 1;
  }
  return null;
}

export function isReservedPort(port: number): boolean {
  return RESERVED_PORTS.has(port);
}
