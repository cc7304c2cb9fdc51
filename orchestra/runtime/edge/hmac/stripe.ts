// Stripe's scheme: `t=<seconds>,v1=<hex>` of time and body, at most five minutes
// old. Imported only where it is used: the library is large.

import Stripe from "stripe";
import { text, type Verify } from "./verify.ts";

const { signature } = Stripe.webhooks;
const crypto = Stripe.createSubtleCryptoProvider();
const TOLERANCE_S = 300;

export const verify: Verify = async (body, headers, header, secret) => {
  const payload = text(body);
  if (!payload) return false;
  if (signature === null) throw new Error("stripe came without signatures");
  try {
    await signature.verifyHeaderAsync(
      payload,
      headers.get(header) ?? "",
      secret,
      TOLERANCE_S,
      crypto,
    );
    return true;
  } catch (error) {
    if (error instanceof Stripe.errors.StripeSignatureVerificationError) {
      return false;
    }
    throw error;
  }
};
