/// The four gates in the order in which their columns stand in W, b and Z, H columns each. The one place that fixes
/// it; PyTorch's order (i, f, g, o) appears only where checkpoints are read and written.
package enum Gate: Int, CaseIterable, Sendable {
  /// Γu, the update gate (PyTorch: i, input).
  case update
  /// Γf, the forget gate (PyTorch: f).
  case forget
  /// Γo, the output gate (PyTorch: o).
  case output
  /// c̃, the candidate (PyTorch: g, cell).
  case candidate
}
