import { z } from 'zod'
export declare const OpenedChallenge: z.ZodObject<
  {
    challengeId: z.ZodString
    signature: z.ZodString
    expiresAt: z.ZodISODateTime
    methods: z.ZodReadonly<
      z.ZodArray<
        z.ZodObject<
          {
            type: z.ZodLiteral<'totp-email'>
            initiate: z.ZodString
            verify: z.ZodString
          },
          z.core.$strip
        >
      >
    >
  },
  z.core.$strip
>
export type OpenedChallenge = Readonly<z.infer<typeof OpenedChallenge>>
export declare const Challenge: z.ZodObject<
  {
    challengeId: z.ZodString
    status: z.ZodEnum<{
      pending: 'pending'
      verified: 'verified'
      consumed: 'consumed'
      exhausted: 'exhausted'
      cancelled: 'cancelled'
      expired: 'expired'
    }>
    subjectUserId: z.ZodString
    operation: z.ZodObject<
      {
        type: z.ZodString
        summary: z.ZodReadonly<
          z.ZodArray<
            z.ZodObject<
              {
                label: z.ZodString
                value: z.ZodString
              },
              z.core.$strip
            >
          >
        >
      },
      z.core.$strip
    >
    createdAt: z.ZodISODateTime
    expiresAt: z.ZodISODateTime
    attemptsRemaining: z.ZodInt
    issuance: z.ZodNullable<
      z.ZodObject<
        {
          reference: z.ZodString
          recipient: z.ZodString
          issuedAt: z.ZodISODateTime
          expiresAt: z.ZodISODateTime
          resendAvailableAt: z.ZodNullable<z.ZodISODateTime>
          delivery: z.ZodEnum<{
            queued: 'queued'
            sent: 'sent'
            failed: 'failed'
            delivered: 'delivered'
            bounced: 'bounced'
          }>
          sentAt: z.ZodOptional<z.ZodISODateTime>
          deliveredAt: z.ZodOptional<z.ZodISODateTime>
          bouncedAt: z.ZodOptional<z.ZodISODateTime>
          failedAt: z.ZodOptional<z.ZodISODateTime>
        },
        z.core.$strip
      >
    >
  },
  z.core.$strip
>
export type Challenge = Readonly<z.infer<typeof Challenge>>
export declare const ConsumedChallenge: z.ZodObject<
  {
    challengeId: z.ZodString
    subjectUserId: z.ZodString
    operation: z.ZodObject<
      {
        type: z.ZodString
        digest: z.ZodString
        summary: z.ZodReadonly<
          z.ZodArray<
            z.ZodObject<
              {
                label: z.ZodString
                value: z.ZodString
              },
              z.core.$strip
            >
          >
        >
      },
      z.core.$strip
    >
    verifiedAt: z.ZodISODateTime
    consumedAt: z.ZodISODateTime
    authorisation: z.ZodString
  },
  z.core.$strip
>
export type ConsumedChallenge = Readonly<z.infer<typeof ConsumedChallenge>>
export declare const User: z.ZodObject<
  {
    userId: z.ZodString
    email: z.ZodString
    locale: z.ZodOptional<z.ZodString>
    displayName: z.ZodOptional<z.ZodString>
  },
  z.core.$strip
>
export type User = Readonly<z.infer<typeof User>>
export declare const ErrorBody: z.ZodObject<
  {
    code: z.ZodString
    requestId: z.ZodString
    fieldErrors: z.ZodDefault<
      z.ZodArray<
        z.ZodObject<
          {
            code: z.ZodString
            field: z.ZodString
          },
          z.core.$strip
        >
      >
    >
  },
  z.core.$strip
>
