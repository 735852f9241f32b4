/** Where Redis is: ioredis and BullMQ both take it as it is. */
export interface RedisAddress {
  host?: string
  port?: number
  /** Of a unix socket. */
  path?: string
  db: number
  username?: string
  password?: string
  tls?: Record<string, never>
}

/**
 * redis://[user:password@]host[:port][/db], rediss://…, or unix:///path.sock?password=…&db=…
 * Throws TypeError for text that is no URL.
 */
export function parseRedisUrl(text: string): RedisAddress {
  const url = new URL(text)
  if (url.protocol === 'unix:') {
    const password = url.searchParams.get('password')
    return {
      path: decodeURIComponent(url.pathname),
      db: Number(url.searchParams.get('db') ?? 0),
      ...(password === null ? {} : { password }),
    }
  }
  return {
    host: url.hostname.replace(/^\[|\]$/g, ''),
    port: url.port === '' ? 6379 : Number(url.port),
    db: Number(url.pathname.slice(1) || 0),
    ...(url.username === '' ? {} : { username: decodeURIComponent(url.username) }),
    ...(url.password === '' ? {} : { password: decodeURIComponent(url.password) }),
    ...(url.protocol === 'rediss:' ? { tls: {} } : {}),
  }
}
