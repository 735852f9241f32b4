import type { NextConfig } from 'next'
import createNextIntlPlugin from 'next-intl/plugin'

/**
 * Next.js writes its data into inline scripts, so scripts can't be narrowed further without a nonce for each answer.
 * No page may be framed, and nothing is loaded from, or sent to, anywhere else.
 */
const contentSecurityPolicy = [
  "default-src 'self'",
  "script-src 'self' 'unsafe-inline'",
  "style-src 'self' 'unsafe-inline'",
  "img-src 'self' data: blob:",
  "font-src 'self' data:",
  "connect-src 'self'",
  "object-src 'none'",
  "base-uri 'none'",
  "form-action 'self'",
  "frame-ancestors 'none'",
].join('; ')

const config: NextConfig = {
  poweredByHeader: false,
  // Titles come with the page's head, not after it: reading them costs nothing, and a page is never without one.
  htmlLimitedBots: /./,
  turbopack: { root: import.meta.dirname },
  // `./berth test` checks types once, for everything.
  typescript: { ignoreBuildErrors: true },
  // Native add-ons, and what is large: loaded as they are, once for all routes.
  serverExternalPackages: [
    '@node-rs/argon2',
    '@prisma/adapter-pg',
    '@prisma/client',
    'bullmq',
    'ioredis',
    'jose',
    'next-auth',
    'nodemailer',
    // Its options are kept under symbols: next-auth and we must have the same ones.
    'openid-client',
    'pg',
    'pino',
    'swagger-ui-dist',
  ],
  async headers() {
    return [
      {
        source: '/:path*',
        headers: [
          { key: 'Content-Security-Policy', value: contentSecurityPolicy },
          { key: 'X-Content-Type-Options', value: 'nosniff' },
          { key: 'X-Frame-Options', value: 'DENY' },
          // With `no-referrer` browsers send `Origin: null`, which server actions refuse.
          { key: 'Referrer-Policy', value: 'same-origin' },
          { key: 'Cross-Origin-Opener-Policy', value: 'same-origin' },
          { key: 'Permissions-Policy', value: 'camera=(), geolocation=(), microphone=()' },
        ],
      },
    ]
  },
}

export default createNextIntlPlugin('./app/_i18n/request.ts')(config)
