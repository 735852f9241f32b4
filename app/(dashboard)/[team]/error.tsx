'use client'

import { ErrorCard, type ErrorCardProps } from '../../_ui/error-card.client.tsx'

/** Inside of the frame, so that one can go elsewhere. */
export default function TeamErrorPage(props: ErrorCardProps) {
  return <ErrorCard {...props} />
}
