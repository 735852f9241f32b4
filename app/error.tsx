'use client'

import { ErrorCard, type ErrorCardProps } from './_ui/error-card.client.tsx'

export default function ErrorPage(props: ErrorCardProps) {
  return (
    <main>
      <ErrorCard {...props} />
    </main>
  )
}
