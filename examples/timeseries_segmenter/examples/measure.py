"""Makes the steps of `measure train STEPS` with PyTorch: the network of the original, one thread.

usage: python measure.py STEPS
"""

import sys
import time

import torch
from torch import nn


class Network(nn.Module):
    """The network of the original at its default sizes."""

    def __init__(self) -> None:
        super().__init__()
        self.fc_input = nn.Linear(2, 128)
        self.input_norm = nn.LayerNorm(128)
        self.dropout = nn.Dropout(0.3)
        self.lstm = nn.LSTM(128, 64, 2, batch_first=True, bidirectional=True, dropout=0.3)
        self.fc_output = nn.Linear(128, 3)

    def forward(self, rows: torch.Tensor) -> torch.Tensor:
        """Returns the logits of windows of rows."""
        hidden = self.dropout(self.input_norm(torch.relu(self.fc_input(rows))))
        states, _ = self.lstm(hidden)
        logits: torch.Tensor = self.fc_output(self.dropout(states))
        return logits


def main() -> None:
    """Prints how long the steps take."""
    n_steps = int(sys.argv[1])
    torch.set_num_threads(1)
    network = Network()
    optimizer = torch.optim.Adam(network.parameters(), lr=1e-3, weight_decay=1e-5)
    loss_of = nn.CrossEntropyLoss(ignore_index=-1)
    rows, classes = torch.randn(16, 50, 2), torch.randint(0, 3, (16, 50))
    start, cpu = time.perf_counter(), time.process_time()
    for _ in range(n_steps):
        optimizer.zero_grad()
        loss = loss_of(network(rows).view(-1, 3), classes.view(-1))
        loss.backward()
        torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimizer.step()
    seconds, cpu = time.perf_counter() - start, time.process_time() - cpu
    print(f"steps: {n_steps} in {seconds:.2f} s, {cpu:.2f} s of CPU time")


if __name__ == "__main__":
    main()
