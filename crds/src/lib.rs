//! What users write: the ShopRLJob type and the CRD made from it.
