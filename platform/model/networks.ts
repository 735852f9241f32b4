import { z } from 'zod'

const ipv4 = z.ipv4()
const ipv6 = z.ipv6()

/** An address, or a network such as 203.0.113.0/24 or 2001:db8::/32. */
export const networkSchema = z
  .string()
  .trim()
  .max(50)
  .refine(isNetwork, 'must be an address or a network such as 203.0.113.0/24 or 2001:db8::/32')

function isNetwork(text: string): boolean {
  const [address = '', length, ...more] = text.split('/')
  const family = ipv4.safeParse(address).success ? 32 : ipv6.safeParse(address).success ? 128 : null
  if (family === null || more.length > 0) return false
  return length === undefined || (/^(0|[1-9]\d{0,2})$/.test(length) && Number(length) <= family)
}
