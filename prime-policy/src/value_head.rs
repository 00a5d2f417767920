//! A value function on the policy's trunk, for GAE.

use burn::module::{Initializer, Module, ModuleVisitor, Param};
use burn::optim::GradientsParams;
use burn::tensor::{Device, Tensor};

use crate::lm::CausalLm;
use crate::logprob::{TokenStatistics, token_hidden, token_statistics};
use crate::sequences::SequenceBatch;

/// A linear map from a hidden state to the value of the prefix that ends there; starts at 0.
#[derive(Module, Debug)]
pub struct ValueHead {
    /// `[hidden, 1]`
    weight: Param<Tensor<2>>,
    /// `[1]`
    bias: Param<Tensor<1>>,
}

impl ValueHead {
    /// A head that says 0 everywhere.
    pub fn init(hidden_size: usize, device: &Device) -> Self {
        Self {
            weight: Initializer::Zeros.init([hidden_size, 1], device),
            bias: Initializer::Zeros.init([1], device),
        }
    }

    /// `[n, hidden]` to `[n, 1]`.
    pub fn forward(&self, hidden: Tensor<2>) -> Tensor<2> {
        hidden.matmul(self.weight.val()) + self.bias.val().unsqueeze()
    }
}

struct Take<'a> {
    from: &'a mut GradientsParams,
    into: GradientsParams,
}

impl ModuleVisitor for Take<'_> {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        if let Some(gradient) = self.from.remove::<D>(param.id) {
            self.into.register(param.id, gradient);
        }
    }
}

/// A policy with an optional value head on its trunk.
#[derive(Module, Debug)]
pub struct ActorCritic<M: Module> {
    /// The policy.
    pub policy: M,
    /// The critic, present when the estimator needs values.
    pub value_head: Option<ValueHead>,
}

impl<M: CausalLm> ActorCritic<M> {
    /// The same with a policy that is ready for many passes (see [`CausalLm::prepared`]).
    pub fn prepared(&self) -> Self {
        Self {
            policy: self.policy.prepared(),
            value_head: self.value_head.clone(),
        }
    }

    /// Gradients of the policy and of the value head, each for its own optimiser.
    pub fn split_gradients(
        &self,
        mut gradients: GradientsParams,
    ) -> (GradientsParams, GradientsParams) {
        let mut take = Take {
            from: &mut gradients,
            into: GradientsParams::new(),
        };
        if let Some(head) = &self.value_head {
            head.visit(&mut take);
        }
        let head = take.into;
        (gradients, head)
    }

    /// Runs the policy over `batch`; the second part is the value before each token, `[rows, window]`, if there is a
    /// head. Gradients of the value reach the trunk too.
    pub fn token_statistics(
        &self,
        batch: &SequenceBatch,
        temperature: f32,
    ) -> (TokenStatistics, Option<Tensor<2>>) {
        let statistics = token_statistics(&self.policy, batch, temperature);
        let values = self
            .value_head
            .as_ref()
            .map(|head| batch.spread(head.forward(statistics.hidden.clone())));
        (statistics, values)
    }

    /// The value before each token, `[rows, window]` and 0 outside the responses, if there is a value head; the
    /// policy's own head is not run.
    pub fn values(&self, batch: &SequenceBatch) -> Option<Tensor<2>> {
        let head = self.value_head.as_ref()?;
        Some(batch.spread(head.forward(token_hidden(&self.policy, batch))))
    }
}
