import { z } from 'zod'

/** A slug is part of host names and image names: RFC 1123 label, 1–40 characters. */
export const slugSchema = z
  .string()
  .min(1, 'must not be empty')
  .max(40, 'must be at most 40 characters')
  .regex(
    /^[a-z0-9]([a-z0-9-]*[a-z0-9])?$/,
    'must be lower-case letters, digits and hyphens, and start and end with a letter or digit',
  )

/** A name that people read: trimmed, 1–80 characters, no control characters. */
export const displayNameSchema = z
  .string()
  .trim()
  .min(1, 'must not be empty')
  .max(80, 'must be at most 80 characters')
  .regex(/^[^\p{Cc}\p{Cf}]*$/u, 'must not contain control characters')

export const emailSchema = z
  .string()
  .trim()
  .toLowerCase()
  .max(254, 'must be at most 254 characters')
  .pipe(z.email('must be an e-mail address'))

export const passwordSchema = z
  .string()
  .min(12, 'must be at least 12 characters')
  .max(256, 'must be at most 256 characters')

/** POSIX names of environment variables; names that the platform sets itself are refused. */
export const variableNameSchema = z
  .string()
  .max(128, 'must be at most 128 characters')
  .regex(/^[A-Za-z_][A-Za-z0-9_]*$/, 'must be letters, digits and underscores, and not start with a digit')
  .refine((name) => !name.startsWith('BERTH_'), 'must not start with BERTH_: those names are set by Berth')

export const maxValueLength = 32_768

/** At most 32 KiB: the kernel takes no argument or variable above 128 KiB, and snapshots hold all of them. */
export const variableValueSchema = z
  .string()
  .max(maxValueLength, 'must be at most 32,768 characters')
  .refine((value) => !value.includes('\0'), 'must not contain a NUL character')

/** Where a container finds a file: a plain absolute path, and none of the kernel's or Berth's own. */
export const filePathSchema = pathSchema('/run/secrets/key')

/** The same for a volume, which is a folder there. */
export const mountPathSchema = pathSchema('/var/lib/data')

function pathSchema(example: string) {
  const message = `must be an absolute path such as ${example}`
  return z
    .string()
    .max(255, 'must be at most 255 characters')
    .regex(/^(\/[^/\0\n]+)+$/, message)
    .refine((path) => !path.split('/').some((part) => part === '.' || part === '..'), message)
    .refine(
      (path) => !/^\/(proc|sys|dev)(\/|$)|^\/etc\/(hosts|hostname|resolv\.conf)$/.test(path),
      'must not be in /proc, /sys or /dev, or be one of the files that Berth writes in /etc',
    )
}

/** Makes a slug out of a display name: `My App!` → `my-app`; empty when nothing usable is left. */
export function slugFrom(name: string): string {
  return name
    .normalize('NFKD')
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-+/, '')
    .slice(0, 40)
    .replace(/-+$/, '')
}
